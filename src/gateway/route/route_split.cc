#include "gateway/route/route_split.h"

#include <cmath>

#include "gateway/balance/prompt_hash.h"

namespace stoker::gateway {

double unit_interval(std::uint64_t hash) {
    return (static_cast<double>(hash >> 11) + 0.5) * 0x1p-53;
}

std::size_t draw_sticky(std::string_view split, std::span<const WeightedArm> arms, std::string_view key) {
    const std::uint64_t salted = stable_hash(key, stable_hash(split));
    std::size_t best = 0;
    double highest = -1;
    for (std::size_t i = 0; i < arms.size(); ++i) {
        if (arms[i].weight <= 0) continue;
        const double score = arms[i].weight / -std::log(unit_interval(stable_hash(arms[i].name, salted)));
        if (score > highest) {
            highest = score;
            best = i;
        }
    }
    return best;
}

std::size_t draw_at(std::span<const WeightedArm> arms, double point) {
    double total = 0;
    for (const WeightedArm& arm : arms) total += arm.weight;
    double left = point * total;
    std::size_t last = 0;
    for (std::size_t i = 0; i < arms.size(); ++i) {
        if (arms[i].weight <= 0) continue;
        last = i;
        left -= arms[i].weight;
        if (left < 0) break;
    }
    return last;
}

}  // namespace stoker::gateway
