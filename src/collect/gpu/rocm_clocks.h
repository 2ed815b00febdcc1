// The lists of clocks and PCIe speeds that ROCm SMI fills in, in either of its two layouts.
//
// ROCm 6 put a flag before the numbers and made room for one more of them, without a version in the structure:
//   before:  u32 count, u32 current, u64 hertz[32]                     then, for PCIe, u32 lanes[32]
//   since:   bool deep_sleep, u32 count, u32 current, u64 hertz[33]    then, for PCIe, u32 lanes[33]
// They are told apart by the four bytes at 8: of the first frequency (megahertz at least) before, the current index
// (some 32, or none) since. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "collect/gpu/rocm_api.h"

namespace stoker::collect::rocm {

struct Clocks {
    std::vector<std::uint64_t> hertz;  // Of PCIe: transfers a second.
    std::vector<std::uint32_t> lanes;  // As many; meaningful for PCIe alone.
    std::optional<std::size_t> current;
};

// What the library wrote into a list that was all zero before. A count that can't be is an empty list.
Clocks read_clocks(const ClockList& list);

}  // namespace stoker::collect::rocm
