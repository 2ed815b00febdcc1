// Whether bytes from outside are text.
#pragma once

#include <string_view>

namespace stoker::wire {

// Well-formed UTF-8: no overlong forms, no surrogates, nothing past U+10FFFF.
bool valid_utf8(std::string_view text);

}  // namespace stoker::wire
