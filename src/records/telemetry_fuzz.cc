// A batch that parses must write and parse again to the same bytes.
#include "base/check.h"
#include "records/telemetry.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stoker::records;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto batch = span_batch_from_json(text)) {
        const std::string json = to_json(batch->spans, batch->marker);
        const auto again = span_batch_from_json(json);
        STOKER_CHECK(again.has_value());
        STOKER_CHECK(to_json(again->spans, again->marker) == json);
    }
    if (const auto logs = logs_from_json(text)) {
        const std::string json = to_json(*logs);
        const auto again = logs_from_json(json);
        STOKER_CHECK(again.has_value());
        STOKER_CHECK(to_json(*again) == json);
    }
    return 0;
}
