// Any request and any events: what is continued is still a request, what is spliced is still JSON that means the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "wire/continuation.h"
#include "wire/openai.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stoker::wire;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const AnswerSoFar so_far{R"(a\n b\\ \u00e4 \n)", 4};
    if (scan_request(text)) {
        const auto request = continue_request(text, so_far);
        if (request && !scan_request(request->body)) std::abort();
    }
    const auto answer = scan_answer(text);
    if (!answer) return 0;
    Splice splice(read_identity(text), so_far, 3, "\n");
    if (const auto event = splice.rewrite(text)) {
        const auto again = scan_answer(*event);
        if (!again || again->choices_finished != answer->choices_finished) std::abort();
    }
    return 0;
}
