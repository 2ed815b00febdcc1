// Reading of numbers and durations, as the lexer and the HTTP API take them.
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "promql/lexer.h"

namespace stoker::promql {

namespace {

struct DurationUnit {
    std::string_view name;
    std::int64_t millis;
};
// From long to short: the order in which a duration must name them.
constexpr std::array<DurationUnit, 7> kUnits = {{{"y", 365LL * 24 * 3600 * 1000},
                                                 {"w", 7LL * 24 * 3600 * 1000},
                                                 {"d", 24LL * 3600 * 1000},
                                                 {"h", 3600 * 1000},
                                                 {"m", 60 * 1000},
                                                 {"s", 1000},
                                                 {"ms", 1}}};
constexpr std::int64_t kLongest = std::numeric_limits<std::int64_t>::max() / 1'000'000;

bool same_word(std::string_view text, std::string_view lower) {
    if (text.size() != lower.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (std::tolower(static_cast<unsigned char>(text[i])) != lower[i]) return false;
    }
    return true;
}

bool read_integer(std::string_view digits, int base, double& value) {
    std::uint64_t whole = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), whole, base);
    if (error != std::errc() || end != digits.data() + digits.size() || digits.empty()) return false;
    value = static_cast<double>(whole);
    return true;
}

// Underscores may part digits, and digits from the 0x before them. False if they stand elsewhere.
bool without_underscores(std::string_view text, std::string& digits) {
    const bool hex = text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const auto digit = [&](std::size_t i) {
        if (i >= text.size()) return false;
        const auto c = static_cast<unsigned char>(text[i]);
        return hex ? std::isxdigit(c) != 0 : std::isdigit(c) != 0;
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '_') {
            digits += text[i];
        } else if (i == 0 || !digit(i + 1) || !(digit(i - 1) || (hex && i == 2))) {
            return false;
        }
    }
    return true;
}

}  // namespace

bool read_duration(std::string_view text, std::int64_t& millis) {
    std::int64_t total = 0;
    std::size_t next_unit = 0;
    if (text.empty()) return false;
    while (!text.empty()) {
        std::int64_t count = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
        if (error != std::errc() || text[0] == '-') return false;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        std::size_t length = 0;
        while (length < text.size() && std::isalpha(static_cast<unsigned char>(text[length])) != 0) ++length;
        const std::string_view unit = text.substr(0, length);
        text.remove_prefix(length);
        while (next_unit < kUnits.size() && kUnits[next_unit].name != unit) ++next_unit;
        if (next_unit == kUnits.size()) return false;
        const std::int64_t scale = kUnits[next_unit++].millis;
        if (count > (kLongest - total) / scale) return false;
        total += count * scale;
    }
    millis = total;
    return true;
}

bool read_number(std::string_view text, double& value) {
    if (text.empty()) return false;
    if (text.find('_') != std::string_view::npos) {
        std::string digits;
        return without_underscores(text, digits) && read_number(digits, value);
    }
    std::string_view rest = text;
    const bool negative = rest[0] == '-';
    if (rest[0] == '-' || rest[0] == '+') rest.remove_prefix(1);
    if (rest.empty()) return false;
    if (same_word(rest, "inf") || same_word(rest, "infinity")) {
        value = std::numeric_limits<double>::infinity();
    } else if (same_word(rest, "nan")) {
        value = std::numeric_limits<double>::quiet_NaN();
    } else if (rest.size() > 2 && rest[0] == '0' && (rest[1] == 'x' || rest[1] == 'X')) {
        if (!read_integer(rest.substr(2), 16, value)) return false;
    } else if (rest.size() > 1 && rest[0] == '0' && read_integer(rest.substr(1), 8, value)) {
        // A leading zero means octal, as it does in Go; "08" is read as a decimal below.
    } else {
        if (std::isdigit(static_cast<unsigned char>(rest[0])) == 0 && rest[0] != '.') return false;
        const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
        if (end != rest.data() + rest.size()) return false;
        if (error == std::errc::result_out_of_range) {
            // from_chars leaves the value alone here; what overflows has a positive exponent.
            const std::size_t e = rest.find_first_of("eE");
            const bool small = e != std::string_view::npos && e + 1 < rest.size() && rest[e + 1] == '-';
            value = small ? 0 : std::numeric_limits<double>::infinity();
        } else if (error != std::errc()) {
            return false;
        }
    }
    if (negative) value = -value;
    return true;
}

}  // namespace stoker::promql
