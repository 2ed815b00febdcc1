// The members of a JSON object's text in one order and without insignificant white space, so that requests which mean
// the same have the same bytes.
//
// Only the outermost members are ordered: deeper down the order may be read by a model (a tool's schema goes into its
// prompt). Escapes and numbers stay as written; two spellings of one value are then two values, which costs a cache
// miss and is never wrong. Pure, thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace stoker::wire {

class CanonicalObject {
public:
    struct Member {
        std::string_view key;  // As written, without its quotes.
        std::string_view value;
    };

    // Errors: InvalidArgument, no JSON object. REQUIRES, for that to be sure: the text was checked before; white space
    // goes unseen, so `1 2` is read as 12.
    static Result<CanonicalObject> read(std::string_view object);

    // By key; those of one key in the order in which they came.
    const std::vector<Member>& members() const { return members_; }
    // The last value of that name; nothing if there is none, or if it is null.
    std::optional<std::string_view> find(std::string_view name) const;

    // As JSON, without the members that `leave_out` names.
    std::string text(const std::function<bool(std::string_view key)>& leave_out) const;

private:
    std::vector<char> text_;  // Moving it leaves the members' views whole.
    std::vector<Member> members_;
};

}  // namespace stoker::wire
