#include "gateway/upstream/outliers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

namespace stoker::gateway {
namespace {

constexpr double kEnoughPace = 0.5;  // Weight from which a pace is worth comparing.

struct Judged {
    Outlier outlier;
    double badness = 0;  // How many times as bad as it would have to be.
};

double percent(double share) {
    return std::round(share * 1000) / 10;
}

std::optional<Judged> by_failures(std::span<const OutlierFacts> pool, std::size_t i, const OutlierOptions& options) {
    const OutlierFacts& one = pool[i];
    if (options.failure_share <= 0 || one.requests < options.min_requests) return {};
    std::int64_t requests = 0;
    std::int64_t failures = 0;
    for (std::size_t j = 0; j < pool.size(); ++j) {
        if (j == i || !pool[j].serving) continue;
        requests += pool[j].requests;
        failures += pool[j].failures;
    }
    if (requests < options.min_requests) return {};
    const double own = static_cast<double>(one.failures) / static_cast<double>(one.requests);
    const double others = static_cast<double>(failures) / static_cast<double>(requests);
    if (own < options.failure_share || own < options.failure_ratio * others) return {};
    Judged judged;
    judged.outlier = {
        i,
        fmt::format("it fails {} % of its requests, the others of its pool {} %", percent(own), percent(others)),
        {fmt::format("{} of {} requests failed, of the others {} of {}", one.failures, one.requests, failures,
                     requests)}};
    judged.badness = own / options.failure_share;
    return judged;
}

// Of those that serve, but this one. Empty if too few are known.
std::optional<double> median_pace(std::span<const OutlierFacts> pool, std::size_t but) {
    std::vector<double> paces;
    for (std::size_t j = 0; j < pool.size(); ++j) {
        if (j != but && pool[j].serving && pool[j].pace_weight >= kEnoughPace) paces.push_back(pool[j].log_pace);
    }
    if (paces.empty()) return {};
    const auto middle = paces.begin() + static_cast<std::ptrdiff_t>(paces.size() / 2);
    std::nth_element(paces.begin(), middle, paces.end());
    return *middle;
}

std::optional<Judged> by_latency(std::span<const OutlierFacts> pool, std::size_t i, const OutlierOptions& options) {
    const OutlierFacts& one = pool[i];
    if (options.latency_ratio <= 0 || one.pace_weight < kEnoughPace || one.requests < options.min_requests) return {};
    const auto usual = median_pace(pool, i);
    if (!usual) return {};
    const double times = std::exp(one.log_pace - *usual);
    if (times < options.latency_ratio) return {};
    Judged judged;
    judged.outlier = {i,
                      fmt::format("its first tokens take {:.1f} times as long as its pool's", times),
                      {fmt::format("for the same amount of prompt; {} requests", one.requests)}};
    judged.badness = times / options.latency_ratio;
    return judged;
}

// The worst of those that serve, if any is an outlier among them.
std::optional<Judged> worst(std::span<const OutlierFacts> pool, const OutlierOptions& options) {
    std::optional<Judged> found;
    for (std::size_t i = 0; i < pool.size(); ++i) {
        if (!pool[i].serving) continue;
        auto judged = by_failures(pool, i, options);
        if (!judged) judged = by_latency(pool, i, options);
        if (judged && (!found || judged->badness > found->badness)) found = std::move(judged);
    }
    return found;
}

}  // namespace

std::vector<Outlier> find_outliers(std::span<const OutlierFacts> pool, const OutlierOptions& options) {
    std::vector<Outlier> outliers;
    if (pool.size() < 2 || options.max_ejection <= 0) return outliers;
    // At least one may go, but never the last.
    const auto share = static_cast<std::size_t>(options.max_ejection * static_cast<double>(pool.size()));
    const std::size_t most = std::min(std::max<std::size_t>(share, 1), pool.size() - 1);
    std::vector<OutlierFacts> left(pool.begin(), pool.end());
    auto out = static_cast<std::size_t>(
        std::count_if(left.begin(), left.end(), [](const OutlierFacts& facts) { return !facts.serving; }));
    // One by one: the worst must not hide the next by spoiling what it is compared with.
    for (; out < most; ++out) {
        auto found = worst(left, options);
        if (!found) break;
        left[found->outlier.replica].serving = false;
        outliers.push_back(std::move(found->outlier));
    }
    return outliers;
}

}  // namespace stoker::gateway
