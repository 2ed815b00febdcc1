// A form from outside, in any pieces: the same is found, and where it is said to stand it stands.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "wire/multipart.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using stoker::wire::FormScanner;
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    const std::size_t piece = 1 + data[0] % 32;
    FormScanner whole("b");
    FormScanner pieces("b");
    whole.feed(text);
    for (std::size_t at = 0; at < text.size(); at += piece) pieces.feed(text.substr(at, piece));
    if (whole.done() != pieces.done() || whole.stream() != pieces.stream()) std::abort();
    if (whole.done() && whole.model() != pieces.model()) std::abort();
    if (whole.model() && whole.model_value().of(text) != *whole.model()) std::abort();
    stoker::wire::form_boundary(text);
    return 0;
}
