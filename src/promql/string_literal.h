// Strings as queries write them: "..." and '...' with Go's escapes, `...` without any.
#pragma once

#include <string>
#include <string_view>

namespace stoker::promql {

struct StringText {
    std::size_t length = 0;  // Of the literal with its quotes.
    std::string text;        // Unescaped.
    std::string problem;     // Empty if it could be read.
};

// Reads the literal that `query` begins with. REQUIRES: query[0] is a quote.
StringText read_string(std::string_view query);

}  // namespace stoker::promql
