// MD5, for formats that prescribe it as a hash (Prometheus' `hashmod`); never for anything that must be secure.
//
// Pure, thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace stoker::crypto {

std::array<std::uint8_t, 16> md5(std::string_view data);

}  // namespace stoker::crypto
