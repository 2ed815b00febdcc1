#include "outward/reader_name.h"

#include <fmt/format.h>

#include "journal/crc32c.h"

namespace stoker::outward {

std::string reader_name(std::string_view kind, std::string_view name) {
    constexpr std::size_t kLongest = 64;  // As the journal has it.
    constexpr std::size_t kChecksum = 9;
    const std::size_t room = kLongest - kind.size() - 1;
    if (name.size() <= room) return fmt::format("{}.{}", kind, name);
    return fmt::format("{}.{}-{:08x}", kind, name.substr(0, room - kChecksum), journal::crc32c(0, name));
}

}  // namespace stoker::outward
