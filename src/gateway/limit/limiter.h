// Who may still ask how much: reserves before a request is admitted, corrects when it has ended.
//
// A request meets up to four subjects: all together, its tenant, its key, its model. One reservation looks at every
// limit of every one of them and takes from all or from none, under one lock, so no two requests can both be promised
// the last token. Rates are meters (limit_meter.h), days are counts. At the end what was reserved is replaced by what
// was used; more than was reserved becomes a debt that later requests wait for.
//
// Where gateways share their limits (shared_limits.h) the shared count decides, and what it says is kept here too: for
// the headers, for whoever looks, and so that this gateway can go on with its fair share the moment the shared count is
// out of reach (go_alone()), and tell of it when it is back (share()).
//
// Thread-safe. The lock is held for some hundred nanoseconds; nothing is done under it but counting.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/sync.h"
#include "base/time.h"
#include "gateway/limit/limit_meter.h"
#include "gateway/limit/limit_options.h"

namespace stoker::gateway {

struct Moment {
    SteadyTime steady{};
    Timestamp wall{};
    static Moment now();
};

// What a request asks for. An empty tenant or key has no limits of its own.
struct LimitAsk {
    std::string_view tenant{};
    std::string_view key{};
    std::string_view model{};
    std::int64_t tokens = 0;        // Prompt and output, an estimate.
    std::string_view request_id{};  // For the ledger of refusals.
};

// Why not: the limit whose wait is the longest, and its ledger at that moment.
struct LimitRefusal {
    LimitScope scope{};
    LimitKind kind{};
    std::string name{};         // The tenant's, key's or model's; empty for the global limit.
    std::int64_t limit = 0;     // As configured, or this gateway's share of it.
    std::int64_t used = 0;      // Rates: what has not yet drained, requests under way not counted.
    std::int64_t reserved = 0;  // By requests under way.
    std::int64_t asked = 0;
    Duration retry_after{0};
};

// What the x-ratelimit-* headers say: the tightest of the limits that apply.
struct RateView {
    std::int64_t limit = 0;
    std::int64_t remaining = 0;
    Duration reset{0};  // Until all of `limit` is there again.
};
struct RateViews {
    std::optional<RateView> requests{};
    std::optional<RateView> tokens{};
};

struct LimitLine {
    LimitScope scope{};
    std::string name{};
    LimitKind kind{};
    std::int64_t limit = 0;
    std::int64_t used = 0;
    std::int64_t reserved = 0;
    std::int64_t remaining = 0;
    Duration reset{0};
    bool named = true;  // The configuration has an entry for it: one of few.
};

struct RefusalEntry {
    Timestamp at{};
    std::string request_id{};
    std::string tenant{};
    std::string key{};
    std::string model{};
    LimitRefusal refusal{};
};

struct LimitsReport {
    double share = 1;                     // Of the configured limits that this gateway may use now.
    std::vector<LimitLine> lines{};       // By scope and name.
    std::vector<RefusalEntry> refused{};  // The last ones, newest first.
};

// A day's use to be kept over restarts.
struct DayUse {
    LimitScope scope{};
    std::string name{};
    std::int64_t day = 0;
    std::int64_t used = 0;
};

struct LimitSubject;

// What one request holds; give it to settle() once. Plain, so that its owner decides when.
struct LimitReservation {
    struct Share {
        LimitSubject* subject = nullptr;
        std::int64_t tokens = 0;
    };
    std::array<Share, kLimitScopes> shares{};
    std::size_t count = 0;
    std::int64_t tokens = 0;  // The estimate.
    SteadyTime at{};
    bool shared = false;      // By the shared count.
    std::uint64_t epoch = 0;  // How often this gateway had met it by then.
    bool any() const { return count > 0; }
};

struct LimitVerdict {
    LimitReservation reservation{};
    std::optional<LimitRefusal> refusal{};  // Then nothing was reserved.
    RateViews views{};
};

// A subject that applies to a request, as a shared count needs it: the whole limits, 0 for none.
struct LimitClaim {
    LimitScope scope{};
    std::string name{};
    MeterRate request_rate{};
    MeterRate token_rate{};
    std::int64_t most_concurrent = 0;
    std::int64_t most_a_day = 0;
    std::int64_t tokens = 0;  // To be reserved.
};

// What a shared count holds of one subject: of all gateways, or of one.
struct SharedCount {
    double requests = 0;  // In the meters, now.
    double tokens = 0;
    std::int64_t day = 0;
    std::int64_t day_used = 0;
    std::int64_t day_reserved = 0;
    std::int64_t concurrent = 0;
};

// What a gateway tells the shared count when it meets it (again).
struct SharedOwn {
    LimitClaim claim{};
    SharedCount seen{};   // What it held when it was met last, drained since.
    SharedCount alone{};  // To be added: what was admitted without it, and what is under way.
};

// What the end of a request changes in the shared count.
struct SharedChange {
    LimitClaim claim{};
    double requests = 0;
    std::int64_t tokens = 0;
    std::int64_t used = 0;
    std::int64_t reserved = 0;
    std::int64_t concurrent = 0;
};

class Limiter {
public:
    Limiter();
    ~Limiter();

    // From now on; what is counted stays counted.
    void set(LimitsOptions options);
    bool active() const { return active_.load(std::memory_order_relaxed); }

    LimitVerdict reserve(const LimitAsk& ask, Moment now);
    // `used` tokens by the engine's count. A request that never reached an engine gives its turn back too. Returns what
    // the shared count must hear of it; nothing while there is none.
    std::vector<SharedChange> settle(const LimitReservation& reservation, std::int64_t used, bool reached_engine,
                                     Moment now);

    // The state for the headers of a request that holds `reservation`; with `used` as if it were settled.
    RateViews views(const LimitReservation& reservation, std::optional<std::int64_t> used, Moment now);
    // From now on a shared count decides. Returns what to tell it: all that is not nothing.
    std::vector<SharedOwn> share(Moment now);
    // From now on this gateway decides alone, within this part of every limit. REQUIRES: 0 < share <= 1.
    void go_alone(double share, Moment now);
    // How far ahead of this host's clock the one is by which days are counted.
    void set_clock(Duration ahead);
    // What the shared count must be asked for. Empty if nothing applies.
    std::vector<LimitClaim> claims(const LimitAsk& ask);
    // What it answered to these claims: whether all were taken, and what it held then.
    LimitVerdict decided(const LimitAsk& ask, const std::vector<LimitClaim>& claims,
                         const std::vector<SharedCount>& counts, bool admitted, Moment now);

    LimitsReport report(Moment now);

    // Days that changed since the last call; and what a run before this one had counted.
    std::vector<DayUse> take_changed_days(Moment now);
    void restore(const std::vector<DayUse>& days, Moment now);

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };
    using Subjects = std::unordered_map<std::string, std::unique_ptr<LimitSubject>, Hash, std::equal_to<>>;

    LimitReservation find_all(const LimitAsk& ask, Moment now) REQUIRES_LOCK(mutex_);
    LimitSubject* find(LimitScope scope, std::string_view name, Moment now) REQUIRES_LOCK(mutex_);
    void make_room(Subjects& subjects, Moment now) REQUIRES_LOCK(mutex_);
    void take(LimitReservation& reservation, Moment now) REQUIRES_LOCK(mutex_);
    void give_up_share(Moment now) REQUIRES_LOCK(mutex_);
    Moment by_clock(Moment now) const;
    RateViews views_locked(const LimitReservation& reservation, std::optional<std::int64_t> used, Moment now)
        REQUIRES_LOCK(mutex_);
    void remember(const LimitAsk& ask, const LimitRefusal& refusal, Moment now) REQUIRES_LOCK(mutex_);

    std::atomic<bool> active_{false};
    std::atomic<std::int64_t> clock_ahead_{0};  // Milliseconds.
    mutable Mutex mutex_;
    LimitsOptions options_ GUARDED_BY(mutex_);
    double share_ GUARDED_BY(mutex_) = 1;
    bool sharing_ GUARDED_BY(mutex_) = false;
    std::uint64_t epoch_ GUARDED_BY(mutex_) = 0;  // Counts share().
    std::array<Subjects, kLimitScopes> subjects_ GUARDED_BY(mutex_);
    std::deque<RefusalEntry> refused_ GUARDED_BY(mutex_);
    SteadyTime swept_at_ GUARDED_BY(mutex_){};
};

}  // namespace stoker::gateway
