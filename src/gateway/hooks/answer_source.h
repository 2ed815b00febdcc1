// Where an answer came from, for those who look at it or put a price on it.
#pragma once

#include <string_view>

namespace stoker::gateway {

enum class AnswerSource : unsigned char {
    None,    // There was none, or it is not known yet.
    Engine,  // Or a provider; of a batch the request's own share.
    Cache,   // Kept: of an identical request, or one that means the same.
    Shared   // Of an identical request that was under way.
};

}  // namespace stoker::gateway
