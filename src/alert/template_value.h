// The values that alert templates compute with: the few of Go's types that reach a template, and how Go prints them.
//
// Values are cheap to copy and never change once shared. Pure and thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tsdb/labels.h"

namespace stoker::alert::internal {

struct Nothing {};  // Go's nil.
struct TimeValue {
    std::int64_t millis = 0;  // Since 1970.
};
struct SpanValue {
    std::int64_t nanos = 0;
};

struct MapValue;
struct ListValue;
using MapPtr = std::shared_ptr<const MapValue>;
using ListPtr = std::shared_ptr<const ListValue>;

using TemplateValue =
    std::variant<Nothing, bool, std::int64_t, double, std::string, MapPtr, ListPtr, TimeValue, SpanValue>;

struct MapValue {
    // What an absent key yields: the empty text, nothing, or an error.
    enum class Kind : std::uint8_t { Texts, Anything, Struct };
    Kind kind = Kind::Texts;
    std::map<std::string, TemplateValue> entries;
    int nesting = 1;  // Of maps in maps; makers bound it, since printing and freeing them recurse.
};

// Elements are shared by those that sorting and slicing make of a list.
struct ListValue {
    std::vector<TemplateValue> elements;
};

MapPtr text_map(const tsdb::Labels& labels);
MapPtr text_map(const std::map<std::string, std::string>& texts);
// What `query` yields an element: .Labels and .Value.
MapPtr sample_value(const tsdb::Labels& labels, TemplateValue value);

// As Go's fmt prints it with %v: floats with the shortest digits, with an exponent below 1e-4 and from 1e21 on (from
// 1e6 on where they have more digits than that); maps as map[a:b].
std::string to_text(const TemplateValue& value);

// Of maps within the value; 0 for what is no map.
int nesting(const TemplateValue& value);

// What `if` takes for true: all but zero, the empty text, empty lists and maps, and nil.
bool is_true(const TemplateValue& value);

// Go's name for the type, for messages: "float64", "map[string]string".
std::string_view type_name(const TemplateValue& value);

// "2015-06-23 13:19:44.128 +0000 UTC".
std::string time_text(TimeValue time);
// "1h30m0s", "1.5s", "20ms".
std::string span_text(SpanValue span);
// Go's Time.Format: the layout is a way of writing Mon Jan 2 15:04:05 2006.
std::string format_time(TimeValue time, std::string_view layout);

}  // namespace stoker::alert::internal
