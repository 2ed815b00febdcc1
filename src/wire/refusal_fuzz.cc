// Error bodies from outside: classifying stays inside them, and what it says does not change with their surroundings.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "wire/refusal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stoker::wire;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const Refusal refusal = classify_refusal(400, text);
    if (classify_refusal(500, text) != Refusal::Other) std::abort();
    if (refusal != Refusal::Other && classify_refusal(400, " " + std::string(text) + " ") != refusal) std::abort();
    return 0;
}
