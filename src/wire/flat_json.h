// One JSON object as a flat list of texts, for lines whose members nobody knows beforehand. Stateless and thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace stoker::wire {

enum class FlatKind : std::uint8_t { Text, Integer, Other };

// Called once a member: {"a":{"b":"x"}} is key "a.b" with "x". A text comes unquoted, everything else as JSON.
using FlatVisitor = std::function<void(std::string_view key, std::string_view value, FlatKind kind)>;

// False, and the visitor not called, if `text` is not one JSON object. What lies deeper than `depth` objects stays
// JSON; 1 leaves all of the members' own objects as they are. REQUIRES: depth >= 1.
bool flatten_json(std::string_view text, int depth, const FlatVisitor& visit);

}  // namespace stoker::wire
