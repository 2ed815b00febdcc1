// Whatever an engine writes into Retry-After, the wait is bounded.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "gateway/upstream/retry_after.h"

using namespace stoker;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto wait = gateway::parse_retry_after(text, from_millis(1'700'000'000'000));
    STOKER_CHECK(!wait || (*wait >= Duration{0} && *wait <= std::chrono::hours{1}), "a wait out of bounds");
    return 0;
}
