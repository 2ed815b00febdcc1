// Any bytes as an OTLP request in both encodings: no crash, and never more memory than allowed.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "wire/otlp.h"
#include "wire/otlp_logs.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stoker::wire::otlp;
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
    return 0;
}
