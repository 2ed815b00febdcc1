// Any bytes as a request of OTLP or Zipkin in both encodings: no crash, and never more memory than allowed.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "wire/otlp.h"
#include "wire/otlp_logs.h"
#include "wire/received_spans.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stoker::wire::otlp;
    using namespace stoker::wire;
    const std::string_view body(reinterpret_cast<const char*>(data), size);
    constexpr Limits kLimits{.max_memory = 1 << 16};
    for (const auto& request : {parse_protobuf(body, kLimits), parse_json(body, kLimits)}) {
        if (!request) {
            if (request.error().message.empty()) std::abort();
            continue;
        }
        if (request->resources.size() * sizeof(Resource) > kLimits.max_memory) std::abort();
    }
    for (const auto& request : {parse_logs_protobuf(body, kLimits), parse_logs_json(body, kLimits)}) {
        if (!request && request.error().message.empty()) std::abort();
        if (request && request->resources.size() * sizeof(LogResource) > kLimits.max_memory) std::abort();
    }
    for (const auto& request : {parse_otlp_traces_protobuf(body, kLimits), parse_otlp_traces_json(body, kLimits),
                                parse_zipkin_protobuf(body, kLimits), parse_zipkin_json(body, kLimits)}) {
        if (!request && request.error().message.empty()) std::abort();
        if (request && request->groups.size() * sizeof(stoker::wire::SpanGroup) > kLimits.max_memory) std::abort();
    }
    return 0;
}
