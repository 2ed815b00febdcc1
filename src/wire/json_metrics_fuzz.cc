// Any bytes as a JSON batch: no crash, and what comes out keeps to the limits.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "wire/json_metrics.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stoker::wire;
    JsonMetricsVisitor visitor;
    visitor.on_item = [](JsonItem&& item) {
        if (item.samples.empty() || item.samples.size() > 20) std::abort();
        for (const JsonSample& sample : item.samples) {
            if (sample.name.size() > 64) std::abort();
        }
    };
    visitor.on_error = [](std::size_t, const std::string& error) {
        if (error.empty()) std::abort();
    };
    (void)parse_json_metrics({reinterpret_cast<const char*>(data), size}, visitor,
                             {.max_items = 10, .max_samples = 20, .max_depth = 6, .max_name_bytes = 64});
    return 0;
}
