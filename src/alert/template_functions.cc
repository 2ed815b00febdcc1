#include "alert/template_functions.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <optional>
#include <utility>

namespace stoker::alert::internal {
namespace {

Error wrong(std::string message) {
    return Error{Errc::InvalidArgument, std::move(message)};
}

// -1, 0, 1, or nothing for values that have no order; of the same type, as Go wants it.
Result<std::optional<int>> compare(const TemplateValue& a, const TemplateValue& b) {
    const auto order = [](const auto& x, const auto& y) { return x < y ? -1 : y < x ? 1 : 0; };
    if (a.index() != b.index()) {
        const bool basic = a.index() >= 1 && a.index() <= 4 && b.index() >= 1 && b.index() <= 4;
        if (!basic && (std::holds_alternative<Nothing>(a) || std::holds_alternative<Nothing>(b))) {
            return std::optional<int>(1);  // Nil equals nothing but nil.
        }
        return wrong("incompatible types for comparison");
    }
    if (const auto* x = std::get_if<double>(&a)) {
        const double y = std::get<double>(b);
        if (std::isnan(*x) || std::isnan(y)) return std::optional<int>();
        return std::optional<int>(order(*x, y));
    }
    if (const auto* x = std::get_if<std::int64_t>(&a)) return std::optional<int>(order(*x, std::get<std::int64_t>(b)));
    if (const auto* x = std::get_if<std::string>(&a)) return std::optional<int>(order(*x, std::get<std::string>(b)));
    if (const auto* x = std::get_if<bool>(&a)) return std::optional<int>(*x == std::get<bool>(b) ? 0 : 1);
    if (const auto* x = std::get_if<SpanValue>(&a))
        return std::optional<int>(order(x->nanos, std::get<SpanValue>(b).nanos));
    if (std::holds_alternative<Nothing>(a)) return std::optional<int>(0);
    return wrong("non-comparable type " + std::string(type_name(a)));
}

Result<TemplateValue> equal(const Arguments& args, FunctionContext&) {
    for (std::size_t i = 1; i < args.size(); ++i) {
        TRY(const auto order, compare(args[0], args[i]));
        if (order == 0) return TemplateValue(true);
    }
    return TemplateValue(false);
}

Result<TemplateValue> not_equal(const Arguments& args, FunctionContext&) {
    TRY(const auto order, compare(args[0], args[1]));
    return TemplateValue(order != 0);
}

// `accept` is told -1, 0 or 1.
template <bool (*accept)(int)>
Result<TemplateValue> ordered(const Arguments& args, FunctionContext&) {
    if (std::holds_alternative<bool>(args[0]) || std::holds_alternative<Nothing>(args[0])) {
        return wrong("invalid type for comparison");
    }
    TRY(const auto order, compare(args[0], args[1]));
    return TemplateValue(order.has_value() && accept(*order));
}
constexpr bool less(int order) {
    return order < 0;
}
constexpr bool at_most(int order) {
    return order <= 0;
}
constexpr bool greater(int order) {
    return order > 0;
}
constexpr bool at_least(int order) {
    return order >= 0;
}

Result<TemplateValue> negate(const Arguments& args, FunctionContext&) {
    return TemplateValue(!is_true(args[0]));
}

Result<TemplateValue> length(const Arguments& args, FunctionContext&) {
    const auto count = [](std::size_t size) { return TemplateValue(static_cast<std::int64_t>(size)); };
    if (const auto* text = std::get_if<std::string>(&args[0])) return count(text->size());
    if (const auto* list = std::get_if<ListPtr>(&args[0])) return count((*list)->elements.size());
    if (const auto* map = std::get_if<MapPtr>(&args[0]); map != nullptr && (*map)->kind != MapValue::Kind::Struct) {
        return count((*map)->entries.size());
    }
    return wrong("len of type " + std::string(type_name(args[0])));
}

Result<std::size_t> position(const TemplateValue& index, std::size_t size) {
    const auto* number = std::get_if<std::int64_t>(&index);
    if (number == nullptr) return wrong("cannot index slice/array with type " + std::string(type_name(index)));
    if (*number < 0 || static_cast<std::uint64_t>(*number) >= size)
        return wrong("index out of range: " + std::to_string(*number));
    return static_cast<std::size_t>(*number);
}

Result<TemplateValue> index(const Arguments& args, FunctionContext&) {
    TemplateValue value = args[0];
    for (std::size_t i = 1; i < args.size(); ++i) {
        if (const auto* list = std::get_if<ListPtr>(&value)) {
            TRY(const std::size_t at, position(args[i], (*list)->elements.size()));
            TemplateValue element = (*list)->elements[at];
            value = std::move(element);
        } else if (const auto* text = std::get_if<std::string>(&value)) {
            TRY(const std::size_t at, position(args[i], text->size()));
            value = static_cast<std::int64_t>(static_cast<unsigned char>((*text)[at]));
        } else if (const auto* map = std::get_if<MapPtr>(&value);
                   map != nullptr && (*map)->kind != MapValue::Kind::Struct) {
            const auto* key = std::get_if<std::string>(&args[i]);
            if (key == nullptr)
                return wrong("value has type " + std::string(type_name(args[i])) + "; should be string");
            const auto found = (*map)->entries.find(*key);
            TemplateValue element = Nothing{};
            if ((*map)->kind == MapValue::Kind::Texts) element = std::string();
            if (found != (*map)->entries.end()) element = found->second;
            value = std::move(element);
        } else if (std::holds_alternative<Nothing>(value)) {
            return wrong("index of untyped nil");
        } else {
            return wrong("can't index item of type " + std::string(type_name(value)));
        }
    }
    return value;
}

Result<TemplateValue> slice(const Arguments& args, FunctionContext&) {
    const auto* text = std::get_if<std::string>(&args[0]);
    const auto* list = std::get_if<ListPtr>(&args[0]);
    if (text == nullptr && list == nullptr) return wrong("can't slice item of type " + std::string(type_name(args[0])));
    const std::size_t size = text != nullptr ? text->size() : (*list)->elements.size();
    std::size_t ends[2] = {0, size};
    for (std::size_t i = 1; i < args.size(); ++i) {
        TRY(ends[i - 1], position(args[i], size + 1));
    }
    if (ends[0] > ends[1]) {
        return wrong("invalid slice index: " + std::to_string(ends[0]) + " > " + std::to_string(ends[1]));
    }
    if (text != nullptr) return TemplateValue(text->substr(ends[0], ends[1] - ends[0]));
    auto part = std::make_shared<ListValue>();
    part->elements.assign((*list)->elements.begin() + static_cast<std::ptrdiff_t>(ends[0]),
                          (*list)->elements.begin() + static_cast<std::ptrdiff_t>(ends[1]));
    return TemplateValue(ListPtr(std::move(part)));
}

// fmt.Sprint: a space between two operands if neither is a text.
std::string printed(const Arguments& args) {
    std::string out;
    for (std::size_t i = 0; i < args.size(); ++i) {
        const bool text = std::holds_alternative<std::string>(args[i]);
        if (i > 0 && !text && !std::holds_alternative<std::string>(args[i - 1])) out += ' ';
        out += to_text(args[i]);
    }
    return out;
}

Result<TemplateValue> print(const Arguments& args, FunctionContext&) {
    return TemplateValue(printed(args));
}

Result<TemplateValue> println(const Arguments& args, FunctionContext&) {
    std::string out;
    for (std::size_t i = 0; i < args.size(); ++i) out += (i > 0 ? " " : "") + to_text(args[i]);
    return TemplateValue(out + "\n");
}

Result<TemplateValue> printf(const Arguments& args, FunctionContext&) {
    return TemplateValue(print_formatted(std::get<std::string>(args[0]), args, 1));
}

Result<TemplateValue> html(const Arguments& args, FunctionContext&) {
    std::string out;
    for (const char c : printed(args)) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&#34;";
                break;
            case '\'':
                out += "&#39;";
                break;
            case '\0':
                out += "\xef\xbf\xbd";
                break;
            default:
                out += c;
        }
    }
    return TemplateValue(std::move(out));
}

Result<TemplateValue> js(const Arguments& args, FunctionContext&) {
    std::string out;
    for (const char c : printed(args)) {
        if (c == '\\' || c == '\'' || c == '"') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20 || c == '<' || c == '>' || c == '&' || c == '=') {
            std::array<char, 8> code{};
            std::snprintf(code.data(), code.size(), "\\u%04X", static_cast<unsigned>(static_cast<unsigned char>(c)));
            out += code.data();
        } else {
            out += c;
        }
    }
    return TemplateValue(std::move(out));
}

Result<TemplateValue> urlquery(const Arguments& args, FunctionContext&) {
    return TemplateValue(query_escaped(printed(args)));
}

Result<TemplateValue> call(const Arguments& args, FunctionContext&) {
    return wrong("non-function of type " + std::string(type_name(args[0])));
}

}  // namespace

std::string query_escaped(std::string_view text) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                           c == '_' || c == '.' || c == '~';
        if (plain) {
            out += c;
        } else if (c == ' ') {
            out += '+';
        } else {
            out += '%';
            out += kHex[byte >> 4];
            out += kHex[byte & 15];
        }
    }
    return out;
}

const std::vector<TemplateFunction>& go_functions() {
    static const std::vector<TemplateFunction> kFunctions = {
        {"and", 1, kAnyNumber, {}, nullptr},
        {"or", 1, kAnyNumber, {}, nullptr},
        {"not", 1, 1, {}, negate},
        {"eq", 2, kAnyNumber, {}, equal},
        {"ne", 2, 2, {}, not_equal},
        {"lt", 2, 2, {}, ordered<less>},
        {"le", 2, 2, {}, ordered<at_most>},
        {"gt", 2, 2, {}, ordered<greater>},
        {"ge", 2, 2, {}, ordered<at_least>},
        {"len", 1, 1, {}, length},
        {"index", 1, kAnyNumber, {}, index},
        {"slice", 1, 3, {}, slice},
        {"print", 0, kAnyNumber, {}, print},
        {"println", 0, kAnyNumber, {}, println},
        {"printf", 1, kAnyNumber, {Takes::Text}, printf},
        {"html", 0, kAnyNumber, {}, html},
        {"js", 0, kAnyNumber, {}, js},
        {"urlquery", 0, kAnyNumber, {}, urlquery},
        {"call", 1, kAnyNumber, {}, call},
    };
    return kFunctions;
}

const TemplateFunction* find_function(std::string_view name) {
    for (const auto* table : {&go_functions(), &prometheus_functions()}) {
        const auto found =
            std::find_if(table->begin(), table->end(), [&](const TemplateFunction& one) { return one.name == name; });
        if (found != table->end()) return &*found;
    }
    return nullptr;
}

}  // namespace stoker::alert::internal
