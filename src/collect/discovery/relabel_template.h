// Go's regexp templates ($1, ${1}, $name, $$), which `replacement` and `target_label` are.
#pragma once

#include <re2/re2.h>

#include <string>
#include <string_view>
#include <vector>

namespace stoker::collect {

// What `regex` caught; [0] is the whole match. Groups that took no part are empty.
using Captures = std::vector<re2::StringPiece>;

// As Go's Regexp.Expand: a name is as long as letters, digits and '_' go, unknown ones are empty, a lone $ stays.
std::string expand_template(std::string_view text, const re2::RE2& regex, const Captures& captures);

}  // namespace stoker::collect
