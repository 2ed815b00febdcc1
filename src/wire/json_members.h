// Edits of the top-level members of a JSON object's text: some left out, some given another value.
//
// What stays keeps its bytes. Pure, thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace stoker::wire {

// What becomes of a member: its value as it is, another one (as JSON), or nothing.
struct MemberFate {
    enum class Kind : unsigned char { Keep, Replace, Drop };
    Kind kind = Kind::Keep;
    std::string value{};  // Of Replace.
};

// Asks `decide` about each member, in order, with its key (escapes decoded) and its value as written, and returns the
// object with what was decided. `append` is text for further members, each `"key":value`, with commas between; may be
// empty. Errors: InvalidArgument, no JSON object.
Result<std::string> edit_members(std::string_view object,
                                 const std::function<MemberFate(std::string_view key, std::string_view value)>& decide,
                                 std::string_view append = {});

}  // namespace stoker::wire
