#include "gateway/upstream/outlier_watch.h"

#include <utility>

#include "gateway/upstream/outliers.h"

namespace stoker::gateway {

void OutlierWatch::tick(Core& core, const RouteTable& table, SteadyTime now) {
    std::map<std::string, SteadyTime> next;
    for (const auto& pool : table.pools()) {
        for (const Target& target : pool->targets) target.replica->tick_breaker(now);
        const auto due = next_.find(pool->name);
        if (due != next_.end() && now < due->second) {
            next[pool->name] = due->second;
            continue;
        }
        next[pool->name] = now + pool->outliers.interval;
        look(core, *pool, now);
    }
    next_ = std::move(next);
    for (auto each = earlier_.begin(); each != earlier_.end();) {
        each = table.find_replica(each->first) ? std::next(each) : earlier_.erase(each);
    }
}

void OutlierWatch::look(Core& core, const Pool& pool, SteadyTime now) {
    std::vector<OutlierFacts> facts;
    for (const Target& target : pool.targets) {
        const Replica& replica = *target.replica;
        const FinishedTotals total = replica.finished();
        const FinishedTotals before = std::exchange(earlier_[replica.id()], total);
        const ReplicaLoad::Pace pace = replica.load().pace(now);
        facts.push_back({replica.serving(), total.requests - before.requests, total.failures - before.failures,
                         pace.log_seconds_per_token, pace.weight});
    }
    for (Outlier& outlier : find_outliers(facts, pool.outliers)) {
        const auto& replica = pool.targets[outlier.replica].replica;
        core.publish(replica, replica->trip(std::move(outlier.reason), std::move(outlier.evidence), now));
    }
}

}  // namespace stoker::gateway
