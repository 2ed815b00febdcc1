#include "gateway/upstream/hedge.h"

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <tuple>
#include <utility>

#include "gateway/upstream/engine_body.h"
#include "gateway/upstream/journey.h"
#include "gateway/upstream/race.h"

namespace stoker::gateway {
namespace asio = boost::asio;
using internal::clock_now;
namespace {

constexpr std::int64_t kMinute = 60;

std::int64_t second_of(SteadyTime now) {
    return std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
}

// The two attempts and what they share, in the frame of run_hedged().
struct Pair {
    RequestContext& context;
    Journey& journey;
    StreamProgress& progress;
    Race race;
    bool sent = false;  // The second was.
    bool second_won = false;
};

Hedging& hedging_of(const RequestContext& context) {
    return *context.route->pool->hedging;
}

FirstTokenTimes& times_of(const RequestContext& context) {
    return context.scan.stream ? hedging_of(context).streams : hedging_of(context).wholes;
}

// After how long without an answer the second one goes; empty: never.
std::optional<Duration> patience(const RequestContext& context, SteadyTime now) {
    const HedgeOptions& options = context.route->pool->hedge;
    if (options.percentile <= 0) return options.after;
    const auto usual = times_of(context).percentile(options.percentile, now);
    if (!usual) return {};
    return std::max(*usual, options.after);
}

asio::awaitable<AttemptResult> run_first(Pair& pair, std::size_t target) {
    AttemptResult result;
    {
        Attempt attempt(pair.context, target,
                        {.deadline = pair.journey.deadline(), .trial = pair.journey.on_trial(), .race = &pair.race},
                        pair.progress);
        result = co_await attempt.run();
    }
    pair.race.stop_waiting();  // What failed is for a retry to make good.
    co_return result;
}

// Empty if it was not sent.
asio::awaitable<std::optional<AttemptResult>> run_second(Pair& pair) {
    const auto wait = patience(pair.context, pair.race.began());
    if (!wait) co_return std::nullopt;
    const SteadyTime due = pair.race.began() + *wait;
    if (due >= pair.journey.deadline()) co_return std::nullopt;
    co_await pair.race.wait_until(due);
    if (pair.race.over() || pair.context.client_gone()) co_return std::nullopt;
    const auto target = pair.journey.second();
    if (!target) co_return std::nullopt;
    pair.sent = true;
    wire::EditedBody body;
    edit_for(pair.context, pair.progress, pair.context.route->pool->targets[*target], body);
    std::optional<AttemptResult> result;
    {
        Attempt attempt(
            pair.context, *target,
            {.deadline = pair.journey.deadline(), .race = &pair.race, .body = &body, .kind = AttemptKind::Hedge},
            pair.progress);
        result = co_await attempt.run();
        pair.second_won = pair.race.won_by(attempt);
    }
    co_return result;
}

void note_outcome(const Pair& pair) {
    if (pair.race.decided()) {
        times_of(pair.context).add(std::chrono::duration_cast<Duration>(pair.race.took()), clock_now());
    } else if (pair.sent) {
        pair.context.core().metrics.count_hedge(pair.context.route->pool->name, "failed");
    }
}

}  // namespace

TimeBuckets& FirstTokenTimes::current(SteadyTime now) {
    const std::int64_t minute = second_of(now) / kMinute;
    TimeBuckets& buckets = minutes_[static_cast<std::size_t>(minute % 2)];
    std::int64_t before = minute_.load(std::memory_order_relaxed);
    if (before != minute && minute_.compare_exchange_strong(before, minute, std::memory_order_relaxed)) {
        buckets.reset();
        // Nobody came for so long that the other minute is an old one too.
        if (before + 1 < minute) minutes_[static_cast<std::size_t>((minute + 1) % 2)].reset();
    }
    return buckets;
}

void FirstTokenTimes::add(Duration took, SteadyTime now) {
    current(now).add(std::chrono::duration_cast<std::chrono::nanoseconds>(took).count());
}

std::optional<Duration> FirstTokenTimes::percentile(double share, SteadyTime now) {
    const std::int64_t second = second_of(now);
    if (looked_at_.exchange(second, std::memory_order_relaxed) != second) {
        const TimeBuckets& latest = current(now);
        const TimeBuckets& earlier = minutes_[static_cast<std::size_t>((second / kMinute + 1) % 2)];
        // The earlier minute is whole; the latest serves until there is one.
        const TimeBuckets& enough = earlier.count() >= kLeast ? earlier : latest;
        const double found = enough.count() >= kLeast ? enough.quantile(share) : 0;
        found_ms_.store(static_cast<std::int64_t>(found * 1000), std::memory_order_relaxed);
    }
    const std::int64_t found = found_ms_.load(std::memory_order_relaxed);
    if (found == 0) return {};
    return Duration{found};
}

bool may_hedge(const RequestContext& context, const StreamProgress& progress) {
    const Pool& pool = *context.route->pool;
    const wire::Dialect dialect = context.endpoint.dialect;
    return pool.hedge.on() && pool.targets.size() > 1 && !progress.begun && !context.upload &&
           (dialect == wire::Dialect::Chat || dialect == wire::Dialect::Messages);
}

asio::awaitable<AttemptResult> run_hedged(RequestContext& context, Journey& journey, std::size_t first,
                                          StreamProgress& progress) {
    using namespace boost::asio::experimental::awaitable_operators;
    const auto loop = co_await asio::this_coro::executor;
    hedging_of(context).budget.note_request(clock_now());
    Pair pair{context, journey, progress, Race(loop, clock_now())};
    auto both = co_await (run_first(pair, first) && run_second(pair));
    AttemptResult result = std::move(std::get<0>(both));
    std::optional<AttemptResult> other = std::move(std::get<1>(both));
    note_outcome(pair);
    if (!other) co_return result;
    // What failed by itself is for the journey to know; of two, one that says not to go on comes last.
    if (pair.second_won || (!pair.race.decided() && !other->verdict.retry)) std::swap(result, *other);
    if (other->failed) journey.note(*std::move(other));
    co_return result;
}

}  // namespace stoker::gateway
