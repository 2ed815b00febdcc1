// CRC32C (Castagnoli, reflected polynomial 0x82F63B78), the checksum of iSCSI, ext4 and most logs.
//
// Uses the processor's crc32 instruction where there is one (about 8 GB/s), a table of 8 slices elsewhere. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace stoker::journal {

// The checksum of what `crc` was computed over followed by `bytes`; start with 0.
std::uint32_t crc32c(std::uint32_t crc, std::string_view bytes);
inline std::uint32_t crc32c(std::string_view bytes) {
    return crc32c(0, bytes);
}

namespace internal {
// The way that needs no special instruction; the same values.
std::uint32_t crc32c_portable(std::uint32_t crc, std::string_view bytes);
}  // namespace internal

}  // namespace stoker::journal
