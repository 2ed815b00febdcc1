// Any bytes as a protobuf exposition: no crash, limits held.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "wire/prometheus_protobuf.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stoker::wire;
    const std::string_view body(reinterpret_cast<const char*>(data), size);
    for (const ClassicBuckets classic : {ClassicBuckets::OnlyWithoutNative, ClassicBuckets::Always}) {
        std::size_t seen = 0;
        ProtobufVisitor visitor;
        visitor.on_sample = [&](const ProtobufSample& sample) {
            ++seen;
            if (sample.name.empty() || sample.labels.size() > 5) {
                std::abort();
            }
        };
        const auto parsed =
            parse_protobuf_exposition(body, visitor, classic, {.max_samples = 40, .max_labels = 4, .max_buckets = 100});
        if (parsed ? *parsed != seen : parsed.error().message.empty()) {
            std::abort();
        }
    }
    return 0;
}
