#include "wire/prometheus_protobuf.h"

#include <protozero/varint.hpp>

#include "base/text.h"
#include "wire/prometheus_protobuf_fields.h"
#include "wire/prometheus_protobuf_walk.h"

namespace stoker::wire {

bool is_protobuf_exposition(std::string_view content_type) {
    const auto parts = split(content_type, ';');
    if (!equals_ignore_case(trim(parts.front()), "application/vnd.google.protobuf")) {
        return false;
    }
    for (std::size_t i = 1; i < parts.size(); ++i) {
        const std::string_view part = trim(parts[i]);
        const std::string_view name = trim(part.substr(0, part.find('=')));
        if (equals_ignore_case(name, "encoding") && !part.ends_with("delimited")) {
            return false;
        }
        if (equals_ignore_case(name, "proto") && !part.ends_with("io.prometheus.client.MetricFamily")) {
            return false;
        }
    }
    return true;
}

Result<std::size_t> parse_protobuf_exposition(std::string_view body, const ProtobufVisitor& visitor,
                                              ClassicBuckets classic, const ProtobufLimits& limits) {
    ProtobufWalk walk(visitor, classic, limits);
    const char* at = body.data();
    const char* const end = body.data() + body.size();
    TRY_UNIT(guarded("protobuf exposition", [&] {
        while (at != end) {
            const std::uint64_t size = protozero::decode_varint(&at, end);
            if (size > static_cast<std::uint64_t>(end - at)) {
                throw Malformed{"a family cut short"};
            }
            walk.family({at, static_cast<std::size_t>(size)});
            at += size;
        }
    }));
    return walk.samples();
}

}  // namespace stoker::wire
