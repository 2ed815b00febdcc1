// One name, several destinations by weight: a canary release, or an experiment whose clients stay on their side.
//
// A sticky draw is weighted rendezvous hashing (Schindelhauer and Schomaker 2005): every arm gets a hash of split, arm
// and key, turned into u in (0, 1), and the largest w / -ln(u) wins. So the same key draws the same arm on every
// gateway, splits draw independently of each other, and when one arm's weight grows relative to the others, keys move
// to it and nowhere else. Pure, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "gateway/route/routing_options.h"

namespace stoker::gateway {

// In (0, 1), 53 bits of it.
double unit_interval(std::uint64_t hash);

struct WeightedArm {
    std::string_view name;
    double weight = 0;  // Not negative; 0 is never drawn.
};

// The arm that `key` belongs to. REQUIRES: some weight is above 0.
std::size_t draw_sticky(std::string_view split, std::span<const WeightedArm> arms, std::string_view key);
// The arm at this point of [0, 1). REQUIRES: some weight is above 0.
std::size_t draw_at(std::span<const WeightedArm> arms, double point);

}  // namespace stoker::gateway
