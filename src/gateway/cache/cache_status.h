// How a request fared with the cache. What no rule holds for fared in no way.
#pragma once

#include <string_view>

namespace stoker::gateway {

enum class CacheStatus : unsigned char {
    Hit,        // Answered from memory.
    Coalesced,  // Got the answer of an identical request under way.
    Semantic,   // Answered from memory, with the answer to a similar question.
    Miss,       // Went to an engine; the answer may be used again.
    Bypass      // Went to an engine; it may not.
};
std::string_view to_string(CacheStatus status);

}  // namespace stoker::gateway
