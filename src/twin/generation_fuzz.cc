// Whatever stands in a request: it is read or refused, and what is read can be planned and rendered.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "twin/faults.h"
#include "twin/generation.h"
#include "twin/trace.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stoker::twin;
    static const Profile profile = *find_profile("tiny");
    std::string_view text(reinterpret_cast<const char*>(data), size);
    for (Endpoint endpoint :
         {Endpoint::Chat, Endpoint::Completion, Endpoint::Embedding, Endpoint::Messages, Endpoint::Responses}) {
        auto request = parse_generation_request(endpoint, text);
        if (!request) continue;
        if (request->prompt_tokens == 0) std::abort();
        auto plan = plan_output(*request, profile);
        if (plan && (plan->tokens == 0 || request->prompt_tokens + plan->tokens > profile.max_context)) std::abort();
    }
    (void)parse_fault(text);
    (void)parse_trace(text);
    return 0;
}
