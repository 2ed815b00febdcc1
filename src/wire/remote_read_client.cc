#include "wire/remote_read_client.h"

#include <protozero/pbf_writer.hpp>

#include "wire/prometheus_protobuf_fields.h"

namespace stoker::wire {
namespace {

// prometheus.ReadRequest, Query, LabelMatcher and ReadResponse.
constexpr std::uint32_t kQueries = 1;
constexpr std::uint32_t kStart = 1;
constexpr std::uint32_t kEnd = 2;
constexpr std::uint32_t kMatchers = 3;
constexpr std::uint32_t kMatcherType = 1;
constexpr std::uint32_t kMatcherName = 2;
constexpr std::uint32_t kMatcherValue = 3;
constexpr std::uint32_t kResults = 1;

}  // namespace

std::string encode_read_request(const ReadQuery& query) {
    std::string out;
    protozero::pbf_writer request(out);
    protozero::pbf_writer message(request, kQueries);
    message.add_int64(kStart, query.start);
    message.add_int64(kEnd, query.end);
    for (const ReadMatcher& matcher : query.matchers) {
        protozero::pbf_writer one(message, kMatchers);
        one.add_enum(kMatcherType, static_cast<std::int32_t>(matcher.type));
        one.add_string(kMatcherName, matcher.name);
        one.add_string(kMatcherValue, matcher.value);
    }
    return out;
}

Result<Unit> decode_read_response(std::string_view message, const RemoteWriteLimits& limits, WriteRequest& out) {
    std::string_view first;
    TRY_UNIT(guarded("remote read", [&] {
        auto response = reader_of(message);
        while (response.next()) {
            if (response.tag_and_type() == bytes_field(kResults) && first.empty()) {
                first = text_of(response);
            } else {
                response.skip();
            }
        }
    }));
    return decode_write_request(RemoteWriteVersion::V1, first, limits, out);
}

}  // namespace stoker::wire
