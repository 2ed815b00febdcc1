// The bytes of a log segment that its writer and its reader agree on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tsdb/hash.h"

namespace stoker::tsdb {

inline constexpr std::string_view kWalMagic = "STKWAL2\n";
inline constexpr std::string_view kWalMagic1 = "STKWAL1\n";  // Still read.
inline constexpr std::size_t kWalSegmentHeader = 16;         // Magic, then the segment's number.
inline constexpr std::size_t kWalFrameHeader = 16;   // Checksum of 8 bytes, length of 4, check of the length of 4.
inline constexpr std::size_t kWalFrameHeader1 = 12;  // Without that check.
inline constexpr std::size_t kWalMaxFrame = std::size_t{1} << 30;

// Seeded with the place, so that an intact frame at the wrong place is damage too.
inline std::uint64_t wal_checksum(std::string_view entries, std::uint64_t segment, std::uint64_t offset) {
    return hash_text(entries, mix64(segment + 1, 0x9e3779b97f4a7c15ULL) ^ offset);
}

// Tells a frame's header from anything else: where a frame is damaged, the next one is found by it.
inline std::uint32_t wal_length_check(std::uint32_t length, std::uint64_t segment, std::uint64_t offset) {
    return static_cast<std::uint32_t>(mix64(mix64(segment + 1, 0xd1b54a32d192ed03ULL) ^ offset, length + 1ULL) >> 32);
}

std::filesystem::path wal_segment_path(const std::filesystem::path& directory, std::uint64_t number);
// Numbers of the segments there, ascending.
Result<std::vector<std::uint64_t>> wal_segments(const std::filesystem::path& directory);

}  // namespace stoker::tsdb
