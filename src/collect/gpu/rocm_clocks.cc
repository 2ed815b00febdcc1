#include "collect/gpu/rocm_clocks.h"

#include <cstring>

namespace stoker::collect::rocm {
namespace {

constexpr std::uint32_t kLeastHertz = 1'000'000;
constexpr std::uint32_t kNoIndex = 0xFFFFFFFF;

template <typename Number>
Number at(const ClockList& list, std::size_t offset) {
    Number value{};
    std::memcpy(&value, list.bytes + offset, sizeof value);
    return value;
}

}  // namespace

Clocks read_clocks(const ClockList& list) {
    const auto told = at<std::uint32_t>(list, 8);
    const bool since6 = told < kLeastHertz || told == kNoIndex;
    const std::size_t most = since6 ? 33 : 32;
    const std::size_t numbers = since6 ? 4 : 0;
    const std::size_t hertz = since6 ? 16 : 8;
    const std::size_t lanes = hertz + most * sizeof(std::uint64_t);
    const auto count = at<std::uint32_t>(list, numbers);
    const auto current = at<std::uint32_t>(list, numbers + 4);
    Clocks clocks;
    if (count > most) return clocks;
    for (std::uint32_t i = 0; i < count; ++i) {
        clocks.hertz.push_back(at<std::uint64_t>(list, hertz + i * sizeof(std::uint64_t)));
        clocks.lanes.push_back(at<std::uint32_t>(list, lanes + i * sizeof(std::uint32_t)));
    }
    if (current < count) clocks.current = current;
    return clocks;
}

}  // namespace stoker::collect::rocm
