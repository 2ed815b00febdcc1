#include "promql/number_text.h"

#include <array>
#include <charconv>
#include <cmath>

#include "promql/format.h"

namespace stoker::promql {

namespace {

constexpr double kExact = 9'007'199'254'740'992.0;  // 2^53: integers below it are exact, and so are their digits.
constexpr std::size_t kLongest = 64;                // "-" and 16 digits around a point, or 20 of an integer; and spare.

// Writes the value without an exponent, or returns null where that takes more thought.
char* write_value(char* at, char* end, double value) {
    const double size = std::abs(value);
    if (size < kExact && value == std::trunc(value) && !(value == 0 && std::signbit(value))) {
        return std::to_chars(at, end, static_cast<std::int64_t>(value)).ptr;
    }
    // Below 2^53 to_chars' shortest fixed digits are Go's.
    if (size >= 1e-6 && size < kExact) return std::to_chars(at, end, value, std::chars_format::fixed).ptr;
    return nullptr;
}

char* write_seconds(char* at, char* end, std::int64_t millis) {
    std::uint64_t size = static_cast<std::uint64_t>(millis);
    if (millis < 0) {
        *at++ = '-';
        size = 0 - size;
    }
    at = std::to_chars(at, end, size / 1000).ptr;
    const auto fraction = static_cast<unsigned>(size % 1000);
    if (fraction == 0) return at;
    *at++ = '.';
    *at++ = static_cast<char>('0' + fraction / 100);
    *at++ = static_cast<char>('0' + fraction / 10 % 10);
    *at++ = static_cast<char>('0' + fraction % 10);
    return at;
}

}  // namespace

void append_sample_value(std::string& out, double value) {
    std::array<char, kLongest> text;
    if (char* const end = write_value(text.data(), text.data() + text.size(), value)) {
        out.append(text.data(), static_cast<std::size_t>(end - text.data()));
    } else {
        out += format_sample_value(value);
    }
}

void append_seconds(std::string& out, std::int64_t millis) {
    std::array<char, kLongest> text;
    out.append(text.data(), write_seconds(text.data(), text.data() + text.size(), millis));
}

void append_json_point(std::string& out, const tsdb::Sample& sample) {
    std::array<char, 2 * kLongest> text;
    char* const end = text.data() + text.size();
    char* at = text.data();
    *at++ = '[';
    at = write_seconds(at, end, sample.time);
    *at++ = ',';
    *at++ = '"';
    char* const after = write_value(at, end, sample.value);
    if (after == nullptr) {
        out.append(text.data(), at);
        out += format_sample_value(sample.value);
        out += "\"]";
        return;
    }
    after[0] = '"';
    after[1] = ']';
    out.append(text.data(), after + 2);
}

}  // namespace stoker::promql
