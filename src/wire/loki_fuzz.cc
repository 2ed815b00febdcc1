// Any bytes as Loki's push request in both encodings, and as a query: no crash, and an error always says something.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "wire/loki.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stoker::wire::loki;
    const std::string_view body(reinterpret_cast<const char*>(data), size);
    constexpr Limits kLimits{.max_memory = 1 << 16};
    for (const auto& streams : {parse_push_protobuf(body, kLimits), parse_push_json(body, kLimits)}) {
        if (!streams && streams.error().message.empty()) std::abort();
        if (streams && streams->size() * sizeof(Stream) > kLimits.max_memory) std::abort();
    }
    const auto labels = parse_labels(body);
    // What labels are written as is read as the same, where they are text.
    if (labels && !parse_labels(labels_text(*labels))) std::abort();
    (void)parse_query(body);
    return 0;
}
