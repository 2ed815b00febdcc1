// The log's own records after damage that a checksum missed, and templates of operators.
#include <cstddef>
#include <cstdint>

#include "outward/webhook.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stoker::outward;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto event = event_from_json(text)) {
        const auto again = event_from_json(to_json(*event));
        if (!again || to_json(*again) != to_json(*event)) __builtin_trap();
    }
    Event event;
    event.summary = text;
    (void)fill_template(text, event, "source");
    (void)webhook_key(text);
    return 0;
}
