#include "promql/format.h"

#include <array>
#include <charconv>
#include <cmath>

#include "base/time.h"

namespace stoker::promql {

namespace {

// Length of the valid UTF-8 sequence at text[i], or 0.
std::size_t utf8_length(std::string_view text, std::size_t i) {
    const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
    const unsigned char first = byte(i);
    if (first < 0x80) return 1;
    const std::size_t length = first >= 0xf0 && first <= 0xf4 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
    if (length == 0 || first > 0xf4 || i + length > text.size()) return 0;
    for (std::size_t k = 1; k < length; ++k) {
        if ((byte(i + k) & 0xc0) != 0x80) return 0;
    }
    const unsigned char second = byte(i + 1);
    const bool bad = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
                     (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
    return bad ? 0 : length;
}

std::string special(double value) {
    if (std::isnan(value)) return "NaN";
    return value > 0 ? "+Inf" : "-Inf";
}

std::string to_scientific(double value) {
    std::array<char, 64> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific);
    return {buffer.data(), end.ptr};
}

void append_hex_escape(std::string& out, std::string_view prefix, unsigned char byte, int digits) {
    static constexpr std::string_view kHex = "0123456789abcdef";
    out += prefix;
    for (int i = digits - 2; i > 0; --i) out += '0';
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
}

}  // namespace

std::string format_float(double value) {
    if (!std::isfinite(value)) return special(value);
    // to_chars' own fixed form prints the exact value of large numbers; Go fills the shortest digits up with zeros.
    const std::string text = to_scientific(std::abs(value));
    const std::size_t e = text.find('e');
    std::string digits = text.substr(0, 1) + (e > 2 ? text.substr(2, e - 2) : "");
    int exponent = 0;
    const char* first = text.data() + e + 1 + (text[e + 1] == '+' ? 1 : 0);
    std::from_chars(first, text.data() + text.size(), exponent);
    std::string out = std::signbit(value) ? "-" : "";
    if (exponent < 0) {
        return out + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
    }
    const auto whole = static_cast<std::size_t>(exponent) + 1;
    if (digits.size() <= whole) return out + digits + std::string(whole - digits.size(), '0');
    return out + digits.substr(0, whole) + "." + digits.substr(whole);
}

std::string format_sample_value(double value) {
    const double size = std::abs(value);
    if (std::isfinite(value) && size != 0 && (size < 1e-6 || size >= 1e21)) return to_scientific(value);
    return format_float(value);
}

std::string format_general(double value, int precision) {
    if (!std::isfinite(value)) return special(value);
    std::array<char, 64> buffer{};
    char* const last = buffer.data() + buffer.size();
    const auto end = precision < 0 ? std::to_chars(buffer.data(), last, value, std::chars_format::scientific)
                                   : std::to_chars(buffer.data(), last, value, std::chars_format::general, precision);
    std::string text(buffer.data(), end.ptr);
    if (precision >= 0) return text;
    const std::size_t e = text.find('e');
    int exponent = 0;
    const char* first = text.data() + e + 1 + (text[e + 1] == '+' ? 1 : 0);
    std::from_chars(first, text.data() + text.size(), exponent);
    return exponent >= -4 && exponent < 6 ? format_float(value) : text;
}

std::string format_utc_seconds(std::int64_t millis) {
    const std::string text = format_timestamp(from_millis(millis / 1000 * 1000));
    return text.substr(0, text.find('.')) + "Z";
}

std::string format_seconds(std::int64_t millis) {
    const std::uint64_t size = millis < 0 ? 0 - static_cast<std::uint64_t>(millis) : static_cast<std::uint64_t>(millis);
    std::string out = (millis < 0 ? "-" : "") + std::to_string(size / 1000);
    if (const std::uint64_t fraction = size % 1000; fraction != 0) {
        const std::string digits = std::to_string(fraction);
        out += "." + std::string(3 - digits.size(), '0') + digits;
    }
    return out;
}

std::string labels_in_message(const tsdb::Labels& labels) {
    std::string out = "{";
    for (const auto& [name, value] : labels) {
        if (out.size() > 1) out += ", ";
        out += name + "=" + quote(value);
    }
    return out + "}";
}

std::string quote(std::string_view text) {
    std::string out = "\"";
    for (std::size_t i = 0; i < text.size();) {
        const char c = text[i];
        const std::size_t length = utf8_length(text, i);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else if (c == '\t') {
            out += "\\t";
        } else if (c == '\r') {
            out += "\\r";
        } else if (length == 0 || static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            append_hex_escape(out, "\\x", static_cast<unsigned char>(c), 2);
        } else {
            out += text.substr(i, length);
        }
        i += length == 0 ? 1 : length;
    }
    return out + "\"";
}

std::string quote_char(std::string_view text, std::size_t offset) {
    if (offset >= text.size()) return "end of input";
    const std::size_t length = utf8_length(text, offset);
    std::string inner = quote(text.substr(offset, length == 0 ? 1 : length));
    inner.front() = inner.back() = '\'';
    return inner;
}

void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    for (std::size_t i = 0; i < text.size();) {
        const char c = text[i];
        const std::size_t length = utf8_length(text, i);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else if (c == '\t') {
            out += "\\t";
        } else if (c == '\r') {
            out += "\\r";
        } else if (static_cast<unsigned char>(c) < 0x20) {
            append_hex_escape(out, "\\u", static_cast<unsigned char>(c), 4);
        } else if (length == 0) {
            out += "\xef\xbf\xbd";
        } else {
            out += text.substr(i, length);
        }
        i += length == 0 ? 1 : length;
    }
    out += '"';
}

void append_json_labels(std::string& out, const tsdb::Labels& labels) {
    out += '{';
    bool first = true;
    for (const auto& [name, value] : labels) {
        if (!first) out += ',';
        first = false;
        append_json_string(out, name);
        out += ':';
        append_json_string(out, value);
    }
    out += '}';
}

}  // namespace stoker::promql
