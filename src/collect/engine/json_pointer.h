// JSON pointers (RFC 6901) into what engines answer, with `*` for every element of an array.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace stoker::collect {

// Everything that the pointer leads to, in order; nothing where a step does not exist. An empty pointer is the
// document.
std::vector<const nlohmann::json*> json_at(const nlohmann::json& document, std::string_view pointer);

// A scalar as text, numbers as JSON writes them; empty for null, objects and arrays.
std::string json_text(const nlohmann::json& value);

}  // namespace stoker::collect
