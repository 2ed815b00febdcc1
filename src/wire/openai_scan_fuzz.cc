// Requests, answers and events from outside: whatever the bytes, scanning stays inside them, and what was edited is
// still JSON that asks for what it should.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "wire/dialect.h"
#include "wire/edited_body.h"
#include "wire/tool_call.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stoker::wire;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (auto request = scan_request(text)) {
        EditedBody edited;
        edited.assign(text, request_edits(*request, "engine", true));
        auto again = scan_request(edited.text());
        if (!again || again->model != "engine") std::abort();
        if (again->usage != UsageAsk::Asked && request->usage != UsageAsk::Unusable) std::abort();
    }
    if (auto answer = scan_answer(text); answer && answer->usage_member.present()) {
        if (!scan_answer(without_usage(text, *answer))) std::abort();
    }
    for (const Dialect dialect : {Dialect::Chat, Dialect::Responses, Dialect::Messages, Dialect::Other}) {
        (void)scan_event(dialect, text);
        (void)scan_answer(dialect, text);
        (void)is_error_body(dialect, text);
        (void)opens_tool_call(dialect, text);
    }
    find_usage_in_tail(text);
    return 0;
}
