// Which versions of an engine a line of its adapter holds for: ">=0.8 <0.11".
//
// Versions are compared by their numbers in order: 0.11.0, v0.11.0rc1 and b6123-1a2b3c are 0.11.0, 0.11.0 and 6123;
// what follows a number is left alone, so a release candidate counts as its release.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace stoker::collect {

using VersionNumbers = std::vector<std::int64_t>;

// Empty: there is no number in it.
VersionNumbers version_numbers(std::string_view version);

class VersionRange {
public:
    // Conditions separated by spaces, all of which must hold; an empty text holds for every version, unknown ones too.
    // Errors: InvalidArgument.
    static Result<VersionRange> parse(std::string_view text);

    // An unknown version is in no range that has conditions.
    bool contains(std::string_view version) const;

private:
    enum class Relation : std::uint8_t { Less, LessOrEqual, Greater, GreaterOrEqual, Equal };
    struct Condition {
        Relation relation = Relation::Equal;
        VersionNumbers numbers;
    };
    std::vector<Condition> conditions_;
};

}  // namespace stoker::collect
