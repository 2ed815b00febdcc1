#include "promql/string_literal.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>

#include "promql/format.h"

namespace stoker::promql {

namespace {

void append_utf8(std::string& out, std::uint32_t code) {
    const auto byte = [&out](std::uint32_t value) { out += static_cast<char>(value); };
    if (code < 0x80) {
        byte(code);
        return;
    }
    if (code < 0x800) {
        byte(0xc0 | (code >> 6));
    } else if (code < 0x10000) {
        byte(0xe0 | (code >> 12));
        byte(0x80 | ((code >> 6) & 0x3f));
    } else {
        byte(0xf0 | (code >> 18));
        byte(0x80 | ((code >> 12) & 0x3f));
        byte(0x80 | ((code >> 6) & 0x3f));
    }
    byte(0x80 | (code & 0x3f));
}

// Go's %#U of the character at `offset`: U+0071 'q'.
std::string code_point(std::string_view text, std::size_t offset) {
    std::array<char, 16> number{};
    std::snprintf(number.data(), number.size(), "U+%04X ", static_cast<unsigned char>(text[offset]));
    return number.data() + quote_char(text, offset);
}

class StringReader {
public:
    explicit StringReader(std::string_view query) : query_(query), delimiter_(query[0]) {}

    StringText run() {
        const bool raw = delimiter_ == '`';
        while (true) {
            if (at_ == query_.size() || (query_[at_] == '\n' && !raw)) {
                result_.problem = raw ? "unterminated raw string" : "unterminated quoted string";
                break;
            }
            const char c = query_[at_++];
            if (c == delimiter_) break;
            if (c != '\\' || raw) {
                result_.text += c;
            } else if (!escape()) {
                break;
            }
        }
        result_.length = at_;
        return std::move(result_);
    }

private:
    bool fail(std::string problem) {
        result_.problem = std::move(problem);
        return false;
    }

    // The backslash is already taken.
    bool escape() {
        if (at_ == query_.size()) return fail("escape sequence not terminated");
        const char c = query_[at_++];
        static constexpr std::string_view kNames = "abfnrtv\\";
        static constexpr std::string_view kValues = "\a\b\f\n\r\t\v\\";
        std::uint32_t code = 0;
        if (c == delimiter_) {
            result_.text += c;
        } else if (const std::size_t i = kNames.find(c); i != std::string_view::npos) {
            result_.text += kValues[i];
        } else if (c >= '0' && c <= '7') {
            --at_;
            if (!digits(3, 8, 255, code)) return false;
            result_.text += static_cast<char>(code);
        } else if (c == 'x') {
            if (!digits(2, 16, 255, code)) return false;
            result_.text += static_cast<char>(code);
        } else if (c == 'u' || c == 'U') {
            if (!digits(c == 'u' ? 4 : 8, 16, 0x10ffff, code)) return false;
            if (code >= 0xd800 && code < 0xe000) return fail("escape sequence is an invalid Unicode code point");
            append_utf8(result_.text, code);
        } else {
            return fail("unknown escape sequence " + code_point(query_, at_ - 1));
        }
        return true;
    }

    bool digits(std::size_t count, int base, std::uint32_t max, std::uint32_t& code) {
        if (at_ + count > query_.size()) return fail("escape sequence not terminated");
        const char* first = query_.data() + at_;
        const auto [end, error] = std::from_chars(first, first + count, code, base);
        if (error != std::errc() || end != first + count) return fail("illegal character in escape sequence");
        if (code > max) return fail("escape sequence is an invalid Unicode code point");
        at_ += count;
        return true;
    }

    std::string_view query_;
    char delimiter_;
    std::size_t at_ = 1;
    StringText result_;
};

}  // namespace

StringText read_string(std::string_view query) {
    return StringReader(query).run();
}

}  // namespace stoker::promql
