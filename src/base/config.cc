#include "base/config.h"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <limits>

#include "base/text.h"

namespace stoker::config {
namespace {

struct ByteUnit {
    std::string_view name;
    int shift;
};

constexpr std::array<ByteUnit, 4> kByteUnits = {{{"TiB", 40}, {"GiB", 30}, {"MiB", 20}, {"KiB", 10}}};

}  // namespace

Result<Bytes> parse_bytes(std::string_view text) {
    std::string_view digits = text;
    int shift = 0;
    for (const ByteUnit& unit : kByteUnits) {
        if (!text.ends_with(unit.name)) continue;
        digits.remove_suffix(unit.name.size());
        shift = unit.shift;
    }
    const auto count = parse_integer(digits);
    if (!count || *count < 0) {
        return Error{
            Errc::InvalidArgument,
            fmt::format("'{}' is not a size: write a whole number of bytes, or one with KiB, MiB, GiB or TiB", text)};
    }
    if (*count > (std::numeric_limits<std::int64_t>::max() >> shift)) {
        return Error{Errc::InvalidArgument, fmt::format("the size '{}' is too large", text)};
    }
    return Bytes{static_cast<std::uint64_t>(*count) << shift};
}

std::string format_bytes(Bytes bytes) {
    for (const ByteUnit& unit : kByteUnits) {
        const std::uint64_t size = std::uint64_t{1} << unit.shift;
        if (bytes.count >= size && bytes.count % size == 0) return fmt::format("{}{}", bytes.count / size, unit.name);
    }
    return std::to_string(bytes.count);
}

std::string Problem::text() const {
    std::string out = file;
    if (line > 0) out += fmt::format(":{}:{}", line, column);
    if (!key.empty()) out += ": " + key;
    return out + ": " + message;
}

Environment process_environment() {
    return [](const std::string& name) -> std::optional<std::string> {
        const char* value = std::getenv(name.c_str());
        if (value == nullptr) return std::nullopt;
        return value;
    };
}

}  // namespace stoker::config
