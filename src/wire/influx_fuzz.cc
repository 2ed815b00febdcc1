// Any bytes as line protocol: no crash, every point has a name and a field, and lines never go backwards.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "wire/influx.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stoker::wire;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    std::size_t line = 0;
    const auto advance = [&line](std::size_t next) {
        if (next < line) std::abort();
        line = next;
    };
    InfluxVisitor visitor;
    visitor.on_point = [&](const InfluxPoint& point) {
        advance(point.line);
        if (point.measurement.empty() || point.fields.empty() || point.tags.size() > 4) std::abort();
    };
    visitor.on_error = [&](const InfluxError& error) {
        advance(error.line);
        if (error.message.empty()) std::abort();
    };
    parse_influx(text, InfluxPrecision::Nanoseconds, visitor, {.max_line_bytes = 300, .max_tags = 4, .max_fields = 8});
    return 0;
}
