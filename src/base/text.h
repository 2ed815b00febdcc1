// Small tools for text that several modules need.
//
// Views returned point into the argument. Everything here is pure and thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stoker {

// Without the blanks, tabs and line ends at both sides.
std::string_view trim(std::string_view text);

// The parts between separators, empty ones included: split("a,,b", ',') is "a", "", "b"; split("", ',') is one "".
std::vector<std::string_view> split(std::string_view text, char separator);

// "a, b, c".
std::string join(std::span<const std::string> parts, std::string_view separator);

// ASCII only; other bytes stay.
std::string to_lower(std::string_view text);
bool equals_ignore_case(std::string_view a, std::string_view b);

// The number of insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The name that the writer of `word` most likely meant; nothing if none is close (a third of the word's length).
std::optional<std::string> nearest_name(std::string_view word, std::span<const std::string> names);

// The shortest text that reads back as `value`, as Prometheus writes it: "0.005", "1e+06", "+Inf", "NaN".
std::string format_number(double value);

// The whole text as a number; nothing if anything else stands in it.
std::optional<double> parse_number(std::string_view text);
std::optional<std::int64_t> parse_integer(std::string_view text);

// `text` as a quoted JSON string. Bytes that are not UTF-8 become U+FFFD.
std::string quote_json(std::string_view text);

}  // namespace stoker
