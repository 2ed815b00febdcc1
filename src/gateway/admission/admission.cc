#include "gateway/admission/admission.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "gateway/route/routes.h"

namespace stoker::gateway {
namespace {

SteadyTime clock_now() {
    return std::chrono::steady_clock::now();
}

PoolCapacity capacity_of(const std::vector<std::shared_ptr<Replica>>& replicas, Duration stale_after) {
    PoolCapacity capacity;
    const SteadyTime now = clock_now();
    int said = 0;
    for (const auto& replica : replicas) {
        if (!replica->serving()) continue;
        capacity.shares += replica->load().weight();
        const EngineLoad load = replica->load().engine();
        if (freshness(load, now, stale_after) <= 0) continue;
        ++said;
        capacity.queues.at = std::max(capacity.queues.at, load.at);
        capacity.queues.running += load.running;
        capacity.queues.waiting += load.waiting;
    }
    if (said == 0) return capacity;
    capacity.queues.running /= said;
    capacity.queues.waiting /= said;
    return capacity;
}

}  // namespace

void configure_admission(const RouteTable& table, AdmissionMetrics& metrics) {
    for (const auto& pool : table.pools()) {
        std::vector<std::shared_ptr<Replica>> replicas;
        for (const Target& target : pool->targets) replicas.push_back(target.replica);
        const Duration stale_after = pool->balancer->options().stale_after;
        Admission& admission = *pool->admission;
        const bool wanted = pool->admission_options.mode != ConcurrencyMode::Off;
        if (wanted && admission.series.wait[0] == nullptr) admission.series = metrics.series(pool->name);
        admission.gate.configure(
            pool->admission_options,
            [replicas = std::move(replicas), stale_after]() { return capacity_of(replicas, stale_after); },
            clock_now());
    }
}

void refresh_admission(const Pool* pool) {
    if (pool != nullptr && pool->admission->gate.active()) pool->admission->gate.refresh(clock_now());
}

std::vector<AdmissionStatus> admission_statuses(const RouteTable& table, std::size_t most_lines) {
    std::vector<AdmissionStatus> statuses;
    for (const auto& pool : table.pools()) {
        if (!pool->admission->gate.active()) continue;
        statuses.push_back(pool->admission->gate.status(most_lines, clock_now()));
        statuses.back().pool = pool->name;
        const auto& refused = pool->admission->series.refused;
        for (const auto& by_end : refused) {
            for (std::size_t end = 1; end < kAdmissionEnds; ++end) {
                statuses.back().ended[end] += static_cast<std::uint64_t>(by_end[end]->value());
            }
        }
    }
    std::sort(statuses.begin(), statuses.end(), [](const auto& a, const auto& b) { return a.pool < b.pool; });
    return statuses;
}

}  // namespace stoker::gateway
