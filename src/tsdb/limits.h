// How many series there may be: in all, of one target (job and instance), of one tenant.
//
// Counts are kept only for limits that are set. Thread-safe; takes no other lock.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/metrics.h"
#include "base/sync.h"
#include "tsdb/index.h"
#include "tsdb/store.h"

namespace stoker::tsdb {

// A limit that is reached, and for whom.
struct ReachedLimit {
    std::string option;             // "max_series_per_target"
    std::size_t most = 0;           // What it is set to.
    std::vector<Matcher> matchers;  // The series that it counts.
};

class SeriesLimits {
public:
    SeriesLimits(const StoreOptions& options, metrics::Registry& registry);

    // Counts one more series, unless a limit is reached.
    bool admit(const Labels& labels);
    // Counts one that is there, whatever the limits say.
    void count(std::span<const LabelRef> labels);
    void release(std::span<const LabelRef> labels);

    // The limit that keeps a series with these labels out; none if there is room by now.
    std::optional<ReachedLimit> reached(const Labels& labels) const;

    std::size_t series() const { return series_.load(std::memory_order_relaxed); }

private:
    using Counts = std::unordered_map<std::string, std::size_t>;

    static std::size_t count_of(const Counts& counts, const std::string& key);
    static void change(Counts& counts, const std::string& key, bool more);
    void change_all(const std::string& target, const std::string& tenant, bool more);
    bool by_label() const { return per_target_ != 0 || per_tenant_ != 0; }

    const std::size_t most_;
    const std::size_t per_target_;
    const std::size_t per_tenant_;
    metrics::Counter& refused_total_;
    metrics::Counter& refused_target_;
    metrics::Counter& refused_tenant_;
    std::atomic<std::size_t> series_{0};
    mutable Mutex mutex_;
    Counts targets_ GUARDED_BY(mutex_);
    Counts tenants_ GUARDED_BY(mutex_);
};

// Remembers for a while what was said of a limit: to say it takes a walk over all series it counts.
class LimitTexts {
public:
    static constexpr std::int64_t kKeepMillis = 30'000;
    static constexpr std::size_t kMost = 1000;

    std::optional<std::string> find(const std::string& key, std::int64_t now) const;
    void put(const std::string& key, std::string text, std::int64_t now);

private:
    struct Said {
        std::string text;
        std::int64_t time;
    };
    mutable Mutex mutex_;
    std::unordered_map<std::string, Said> said_ GUARDED_BY(mutex_);
};

}  // namespace stoker::tsdb
