// Where a request's time goes beside the answer itself, stage by stage: stoker_gateway_overhead_seconds.
//
// Kept in the request as it goes and shown once, when it has ended; a stage that it never came to is not shown.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/metrics.h"

namespace stoker::gateway {

enum class OverheadStage : std::uint8_t {
    Parse,     // Finding in the body what decides the route.
    Limit,     // Reserving what limits allow.
    Cache,     // Looking for an answer that is there.
    Route,     // Who asks, what is left of it under load, where it goes.
    Queue,     // Waiting for a turn.
    Connect,   // To the replica, where a new connection was needed.
    Upstream,  // From there to its answer's head. The engine's time, for comparison.
    Write      // Handing the answer to the client's socket, waiting for slow readers included.
};
inline constexpr std::size_t kOverheadStages = 8;
std::span<const OverheadStage, kOverheadStages> all_overhead_stages();
std::string_view to_string(OverheadStage stage);  // snake_case

// By stage. The histograms live as long as their registry.
class OverheadSeries {
public:
    metrics::Histogram*& operator[](OverheadStage stage) { return series_[static_cast<std::size_t>(stage)]; }
    metrics::Histogram* operator[](OverheadStage stage) const { return series_[static_cast<std::size_t>(stage)]; }

private:
    std::array<metrics::Histogram*, kOverheadStages> series_{};
};

// One request's. Not thread-safe.
class Overhead {
public:
    using Nanos = std::chrono::nanoseconds;

    void add(OverheadStage stage, std::chrono::steady_clock::duration lasted) {
        spent_[static_cast<std::size_t>(stage)] += std::chrono::duration_cast<Nanos>(lasted);
    }
    Nanos spent(OverheadStage stage) const { return spent_[static_cast<std::size_t>(stage)]; }
    void observe(const OverheadSeries& series) const;

private:
    std::array<Nanos, kOverheadStages> spent_{};  // 0: it never came there.
};

}  // namespace stoker::gateway
