#include "wire/utf8.h"

#include <simdjson.h>

#include <algorithm>

namespace stoker::wire {

bool valid_utf8(std::string_view text) {
    // Most names and values are short and plain: not worth the call.
    constexpr std::size_t kShort = 32;
    if (text.size() <= kShort &&
        std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; })) {
        return true;
    }
    return simdjson::validate_utf8(text.data(), text.size());
}

}  // namespace stoker::wire
