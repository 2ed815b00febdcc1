#include "wire/otlp_value_json.h"

#include "base/text.h"

namespace stoker::wire::otlp::internal {

std::string_view JsonValues::string_of(element value) {
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) throw Malformed{"a string was expected"};
    return text;
}

double JsonValues::double_of(element value) {
    double number = 0;
    if (value.get(number) == simdjson::SUCCESS) return number;
    const std::string_view text = string_of(value);
    if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
    if (text == "Infinity") return std::numeric_limits<double>::infinity();
    if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
    const auto parsed = parse_number(text);
    if (!parsed) throw Malformed{"a number was expected"};
    return *parsed;
}

bool JsonValues::bool_of(element value) {
    bool flag = false;
    if (value.get(flag) != simdjson::SUCCESS) throw Malformed{"true or false was expected"};
    return flag;
}

std::int32_t JsonValues::small_integer_of(element value) {
    const auto number = integer_of<std::int64_t>(value);
    if (number < std::numeric_limits<std::int32_t>::min() || number > std::numeric_limits<std::int32_t>::max()) {
        throw Malformed{"an integer of 32 bits was expected"};
    }
    return static_cast<std::int32_t>(number);
}

void JsonValues::id(element value, std::size_t length, std::string& out) {
    const std::string hex = to_lower(string_of(value).substr(0, length));
    if (hex.find_first_not_of('0') != std::string::npos) budget_.set(out, hex);
}

void JsonValues::attributes(element list, Attributes& out) {
    each(list, [&](element one) {
        auto& pair = budget_.add(out);
        members(one, [&](std::string_view key, element value) {
            if (key == "key") text(value, pair.first);
            if (key == "value") budget_.set(pair.second, any_value(value, 0));
        });
    });
}

std::string JsonValues::any_value(element object, int depth) {
    if (depth > kMaxValueDepth) throw Malformed{"an attribute's lists are nested too deeply"};
    std::string out = depth > 0 ? "null" : "";
    members(object, [&](std::string_view key, element value) {
        if (key == "stringValue" || key == "bytesValue") {
            out = depth > 0 ? quote_json(string_of(value)) : std::string(string_of(value));
        } else if (key == "boolValue") {
            out = bool_of(value) ? "true" : "false";
        } else if (key == "intValue") {
            out = std::to_string(integer_of<std::int64_t>(value));
        } else if (key == "doubleValue") {
            out = depth > 0 ? double_json(double_of(value)) : double_text(double_of(value));
        } else if (key == "arrayValue" || key == "kvlistValue") {
            out = key == "arrayValue" ? "[" + elements(value, depth) + "]" : "{" + elements(value, depth) + "}";
        }
    });
    return out;
}

// Of {"values": [...]}: list elements, or members with a key.
std::string JsonValues::elements(element object, int depth) {
    std::string out;
    members(object, [&](std::string_view key, element list) {
        if (key != "values") return;
        each(list, [&](element one) {
            if (!out.empty()) out += ',';
            element name;
            element value = one;
            if (one.at_key("key").get(name) == simdjson::SUCCESS) {
                out += quote_json(string_of(name)) + ":";
                if (one.at_key("value").get(value) != simdjson::SUCCESS) {
                    out += "null";
                    return;
                }
            }
            out += any_value(value, depth + 1);
        });
    });
    budget_.take(out.size());
    return out;
}

}  // namespace stoker::wire::otlp::internal
