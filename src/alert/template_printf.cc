// Go's fmt.Sprintf for the types that templates know.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>

#include "alert/template_functions.h"
#include "promql/format.h"

namespace stoker::alert::internal {
namespace {

constexpr std::size_t kMostWidth = 1000;

struct Conversion {
    bool minus = false;
    bool plus = false;
    bool space = false;
    bool zero = false;
    bool sharp = false;
    std::optional<std::size_t> width;
    std::optional<std::size_t> precision;
    char verb = '\0';  // '\0': the format ended.
};

std::optional<std::size_t> read_number(std::string_view& format) {
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(format.data(), format.data() + format.size(), value);
    if (error == std::errc::invalid_argument) return std::nullopt;
    format.remove_prefix(static_cast<std::size_t>(end - format.data()));
    return std::min(error == std::errc() ? value : kMostWidth, kMostWidth);
}

// Reads what follows a '%'.
Conversion read_conversion(std::string_view& format) {
    Conversion made;
    for (; !format.empty(); format.remove_prefix(1)) {
        const char c = format[0];
        if (c == '-') {
            made.minus = true;
        } else if (c == '+') {
            made.plus = true;
        } else if (c == ' ') {
            made.space = true;
        } else if (c == '0') {
            made.zero = true;
        } else if (c == '#') {
            made.sharp = true;
        } else {
            break;
        }
    }
    made.width = read_number(format);
    if (format.starts_with('.')) {
        format.remove_prefix(1);
        made.precision = read_number(format).value_or(0);
    }
    if (format.empty()) return made;
    made.verb = format[0];
    format.remove_prefix(1);
    return made;
}

// Width counts characters, not bytes.
std::size_t characters(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string padded(const Conversion& how, std::string text, bool number) {
    const std::size_t width = how.width.value_or(0);
    const std::size_t size = characters(text);
    if (size >= width) return text;
    if (how.minus) return text + std::string(width - size, ' ');
    if (!how.zero || !number) return std::string(width - size, ' ') + text;
    const bool sign = !text.empty() && (text[0] == '-' || text[0] == '+' || text[0] == ' ');
    return (sign ? text.substr(0, 1) : "") + std::string(width - size, '0') + text.substr(sign ? 1 : 0);
}

std::string with_sign(const Conversion& how, std::string text) {
    if (text.starts_with('-') || text.starts_with('+')) return text;
    return (how.plus ? "+" : how.space ? " " : "") + text;
}

std::string float_text(const Conversion& how, double value) {
    if (!std::isfinite(value)) {
        Conversion plain = how;
        plain.zero = false;
        return padded(plain, with_sign(how, to_text(value)), false);
    }
    if (!how.precision && (how.verb == 'g' || how.verb == 'v')) {
        return padded(how, with_sign(how, to_text(value)), true);
    }
    std::array<char, 512 + kMostWidth> buffer{};
    const int digits = static_cast<int>(how.precision.value_or(6));
    int length = 0;
    switch (how.verb) {
        case 'e':
            length = std::snprintf(buffer.data(), buffer.size(), "%.*e", digits, value);
            break;
        case 'E':
            length = std::snprintf(buffer.data(), buffer.size(), "%.*E", digits, value);
            break;
        case 'f':
        case 'F':
            length = std::snprintf(buffer.data(), buffer.size(), "%.*f", digits, value);
            break;
        case 'G':
            if (!how.precision) {
                std::string text = to_text(value);
                std::replace(text.begin(), text.end(), 'e', 'E');
                return padded(how, with_sign(how, text), true);
            }
            length = std::snprintf(buffer.data(), buffer.size(), "%.*G", digits, value);
            break;
        default:
            length = std::snprintf(buffer.data(), buffer.size(), "%.*g", digits, value);
    }
    return padded(how, with_sign(how, std::string(buffer.data(), static_cast<std::size_t>(std::max(length, 0)))), true);
}

std::string in_base(std::uint64_t value, unsigned base, bool upper) {
    std::array<char, 80> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, static_cast<int>(base));
    std::string text(buffer.data(), end.ptr);
    if (upper)
        std::transform(text.begin(), text.end(), text.begin(),
                       [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    return text;
}

std::string character(std::int64_t code) {
    const auto value = code < 0 || code > 0x10ffff ? 0xfffdU : static_cast<std::uint32_t>(code);
    const auto byte = [](std::uint32_t bits) { return static_cast<char>(bits); };
    if (value < 0x80) return {byte(value)};
    if (value < 0x800) return {byte(0xc0 | (value >> 6)), byte(0x80 | (value & 0x3f))};
    if (value < 0x10000)
        return {byte(0xe0 | (value >> 12)), byte(0x80 | ((value >> 6) & 0x3f)), byte(0x80 | (value & 0x3f))};
    return {byte(0xf0 | (value >> 18)), byte(0x80 | ((value >> 12) & 0x3f)), byte(0x80 | ((value >> 6) & 0x3f)),
            byte(0x80 | (value & 0x3f))};
}

std::optional<std::string> integer_text(const Conversion& how, std::int64_t value) {
    const bool negative = value < 0;
    const std::uint64_t size = negative ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
    const auto in = [&](unsigned base, const char* prefix) {
        return padded(how,
                      with_sign(how, (negative ? "-" : "") + std::string(how.sharp ? prefix : "") +
                                         in_base(size, base, how.verb == 'X')),
                      true);
    };
    switch (how.verb) {
        case 'd':
        case 'v':
            return in(10, "");
        case 'x':
            return in(16, "0x");
        case 'X':
            return in(16, "0X");
        case 'o':
            return in(8, "0");
        case 'b':
            return in(2, "0b");
        case 'c':
            return padded(how, character(value), false);
        case 'q': {
            const std::string text = character(value);
            if (value >= 0x20 && value != 0x7f)
                return padded(how, value == '\'' || value == '\\' ? "'\\" + text + "'" : "'" + text + "'", false);
            const std::string inner = promql::quote(text);
            return padded(how, "'" + inner.substr(1, inner.size() - 2) + "'", false);
        }
        case 'U': {
            std::string code = in_base(size, 16, true);
            if (code.size() < 4) code.insert(0, 4 - code.size(), '0');
            return padded(how, "U+" + code, false);
        }
        default:
            return std::nullopt;
    }
}

std::optional<std::string> text_text(const Conversion& how, std::string text) {
    if (how.precision && how.verb != 'x' && how.verb != 'X') {
        std::size_t end = 0;
        for (std::size_t left = *how.precision; end < text.size(); ++end) {
            if ((static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) continue;
            if (left-- == 0) break;
        }
        text.resize(end);
    }
    switch (how.verb) {
        case 'v':
            return padded(how, how.sharp ? promql::quote(text) : text, false);
        case 's':
            return padded(how, text, false);
        case 'q':
            return padded(how, promql::quote(text), false);
        case 'x':
        case 'X': {
            std::string out;
            for (const char c : text) {
                const std::string code = in_base(static_cast<unsigned char>(c), 16, how.verb == 'X');
                out += (code.size() == 1 ? "0" : "") + code;
            }
            return padded(how, out, false);
        }
        default:
            return std::nullopt;
    }
}

// Nothing if the verb is not for such a value.
std::optional<std::string> print_one(const Conversion& how, const TemplateValue& value) {
    if (how.verb == 'T') return padded(how, std::string(type_name(value)), false);
    if (const auto* number = std::get_if<double>(&value)) {
        if (std::string_view("eEfFgGv").find(how.verb) == std::string_view::npos) return std::nullopt;
        return float_text(how, *number);
    }
    if (const auto* number = std::get_if<std::int64_t>(&value)) return integer_text(how, *number);
    if (const auto* text = std::get_if<std::string>(&value)) return text_text(how, *text);
    if (std::holds_alternative<bool>(value)) {
        if (how.verb != 't' && how.verb != 'v') return std::nullopt;
        return padded(how, to_text(value), false);
    }
    if (std::holds_alternative<Nothing>(value)) {
        if (how.verb != 'v') return std::nullopt;
        return padded(how, "<nil>", false);
    }
    if (how.verb == 'v' || how.verb == 's') return padded(how, to_text(value), false);
    return std::nullopt;
}

std::string typed(const TemplateValue& value) {
    if (std::holds_alternative<Nothing>(value)) return "<nil>";
    return std::string(type_name(value)) + "=" + to_text(value);
}

}  // namespace

std::string four_digits(double value) {
    if (!std::isfinite(value)) return to_text(value);
    std::array<char, 32> buffer{};
    const int length = std::snprintf(buffer.data(), buffer.size(), "%.4g", value);
    return {buffer.data(), static_cast<std::size_t>(std::max(length, 0))};
}

std::string print_formatted(std::string_view format, const Arguments& args, std::size_t first) {
    std::string out;
    std::size_t next = first;
    while (!format.empty()) {
        const std::size_t percent = std::min(format.find('%'), format.size());
        out += format.substr(0, percent);
        format.remove_prefix(percent);
        if (format.empty()) break;
        format.remove_prefix(1);
        const Conversion how = read_conversion(format);
        if (how.verb == '\0') {
            out += "%!(NOVERB)";
        } else if (how.verb == '%') {
            out += '%';
        } else if (next == args.size()) {
            out += std::string("%!") + how.verb + "(MISSING)";
        } else if (auto text = print_one(how, args[next])) {
            out += *text;
            ++next;
        } else {
            out += std::string("%!") + how.verb + "(" + typed(args[next]) + ")";
            ++next;
        }
    }
    if (next == args.size()) return out;
    out += "%!(EXTRA ";
    for (std::size_t i = next; i < args.size(); ++i) out += (i > next ? ", " : "") + typed(args[i]);
    return out + ")";
}

}  // namespace stoker::alert::internal
