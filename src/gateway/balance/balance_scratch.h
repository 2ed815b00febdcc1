// What picks need on their way and would not allocate anew each time: per thread, valid until the next call there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace stoker::gateway::internal {

inline std::span<double> scratch(std::size_t count) {
    thread_local std::vector<double> values;
    if (values.size() < count) values.resize(count);
    return {values.data(), count};
}

inline std::vector<std::size_t>& index_scratch() {
    thread_local std::vector<std::size_t> values;
    return values;
}

// Scrambles a number so that neighbours have nothing in common (the finalizer of SplitMix64).
inline std::uint64_t scramble(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

// A number from 0 up to 1 that a turn and the number of its throw decide.
inline double dice(std::uint64_t turn, std::uint64_t nth) {
    return static_cast<double>(scramble(turn * 8 + nth) >> 11) * 0x1p-53;
}

}  // namespace stoker::gateway::internal
