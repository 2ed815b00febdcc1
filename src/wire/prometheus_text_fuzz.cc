// Any bytes: no crash, and what parses obeys the format's own rules.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "wire/prometheus_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stoker::wire;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    for (const ExpositionFormat format : {ExpositionFormat::Prometheus, ExpositionFormat::OpenMetrics}) {
        std::size_t seen = 0;
        ExpositionVisitor visitor;
        visitor.on_sample = [&](const ExpositionSample& sample) {
            ++seen;
            if (sample.name.empty() || sample.labels.size() > 4) {
                std::abort();
            }
            if (sample.exemplar != nullptr &&
                (format == ExpositionFormat::Prometheus || sample.exemplar->labels.size() > 4)) {
                std::abort();
            }
        };
        visitor.on_metadata = [](const ExpositionMetadata& metadata) {
            if (metadata.family.data() == nullptr) {
                std::abort();
            }
        };
        const auto count =
            parse_exposition(text, format, visitor, {.max_line_bytes = 300, .max_samples = 50, .max_labels = 4});
        if (count ? *count != seen : count.error().message.empty()) {
            std::abort();
        }
    }
    return 0;
}
