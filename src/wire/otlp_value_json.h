// What the JSON decoders of all OTLP signals share: members, numbers in their many forms, attributes and values.
// Not thread-safe.
#pragma once

#include <simdjson.h>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "wire/otlp.h"
#include "wire/otlp_value.h"

namespace stoker::wire::otlp::internal {

// Throws as Budget does, and Malformed.
class JsonValues {
public:
    explicit JsonValues(const Limits& limits) : budget_(limits) {}

protected:
    using element = simdjson::dom::element;

    // Calls `take` with key and value of each member that is not null.
    template <typename Take>
    static void members(element object, const Take& take) {
        if (object.is_null()) return;
        simdjson::dom::object fields;
        if (object.get(fields) != simdjson::SUCCESS) throw Malformed{"an object was expected"};
        for (const auto field : fields) {
            if (!field.value.is_null()) take(field.key, field.value);
        }
    }

    template <typename Take>
    static void each(element list, const Take& take) {
        simdjson::dom::array elements;
        if (list.get(elements) != simdjson::SUCCESS) throw Malformed{"a list was expected"};
        for (const element one : elements) take(one);
    }

    static std::string_view string_of(element value);
    static double double_of(element value);
    static bool bool_of(element value);
    static std::int32_t small_integer_of(element value);

    // JavaScript writes 64-bit integers as strings, as numbers, and large ones as 1e21.
    template <typename Int>
    static Int integer_of(element value) {
        Int number = 0;
        if (value.get(number) == simdjson::SUCCESS) return number;
        std::string_view text;
        if (value.get(text) == simdjson::SUCCESS) {
            const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
            if (failed == std::errc() && end == text.data() + text.size()) return number;
        }
        double floating = 0;
        if (value.get(floating) == simdjson::SUCCESS && floating == std::floor(floating) &&
            floating >= static_cast<double>(std::numeric_limits<Int>::min()) &&
            floating < static_cast<double>(std::numeric_limits<Int>::max())) {
            return static_cast<Int>(floating);
        }
        throw Malformed{"an integer was expected"};
    }

    void text(element value, std::string& out) { budget_.set(out, string_of(value)); }
    // A trace or span id of so many hex digits; nothing is set for one of zeros.
    void id(element value, std::size_t length, std::string& out);
    // A list of KeyValues.
    void attributes(element list, Attributes& out);
    // An AnyValue as text. `depth` 0 is an attribute's own value; what lies deeper is JSON inside it.
    std::string any_value(element object, int depth);

    Budget budget_;

private:
    std::string elements(element object, int depth);
};

}  // namespace stoker::wire::otlp::internal
