#include "records/json_reader.h"

#include <fmt/format.h>

#include <charconv>

namespace stoker::records {
namespace {

constexpr int kDeepest = 64;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

void append_utf8(std::string& out, std::uint32_t code) {
    if (code < 0x80) {
        out += static_cast<char>(code);
        return;
    }
    const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    constexpr std::uint32_t kFirst[] = {0, 0xC0, 0xE0, 0xF0};
    out += static_cast<char>(kFirst[more] | (code >> (6 * more)));
    for (int i = more - 1; i >= 0; --i) out += static_cast<char>(0x80 | ((code >> (6 * i)) & 0x3F));
}

// Whether all of `text` is UTF-8 without surrogates or overlong forms.
bool is_utf8(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    for (std::size_t i = 0; i < text.size();) {
        const unsigned first = byte(i);
        if (first < 0x80) {
            ++i;
            continue;
        }
        const std::size_t more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
        if (first < 0xC2 || first > 0xF4 || i + more >= text.size()) return false;
        const unsigned second = byte(i + 1);
        const bool bad_second = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
                                (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
        if (bad_second) return false;
        for (std::size_t k = 1; k <= more; ++k) {
            if ((byte(i + k) & 0xC0) != 0x80) return false;
        }
        i += more + 1;
    }
    return true;
}

}  // namespace

bool JsonReader::fail(std::string_view problem) {
    if (problem_.empty()) problem_ = fmt::format("{} at byte {}", problem, at_);
    return false;
}

void JsonReader::skip_blanks() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) {
        ++at_;
    }
}

bool JsonReader::take(char c) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
}

bool JsonReader::take_word(std::string_view word) {
    skip_blanks();
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
}

bool JsonReader::raw(std::string_view& out) {
    skip_blanks();
    const std::size_t begin = at_;
    if (!skip()) return false;
    out = text_.substr(begin, at_ - begin);
    return true;
}

bool JsonReader::is_object() {
    skip_blanks();
    return at_ < text_.size() && text_[at_] == '{';
}

bool JsonReader::at_end() {
    skip_blanks();
    return at_ == text_.size() || fail("something stands after the value");
}

bool JsonReader::null() {
    return take_word("null");
}

bool JsonReader::boolean(bool& out) {
    if (take_word("true")) {
        out = true;
        return true;
    }
    out = false;
    return take_word("false") || fail("true or false was expected");
}

bool JsonReader::string(std::string& out) {
    if (!take('"')) return fail("a text was expected");
    out.clear();
    bool ascii = true;
    std::size_t begin = at_;
    for (;; ++at_) {
        if (at_ >= text_.size()) return fail("a text does not end");
        const char c = text_[at_];
        if (static_cast<unsigned char>(c) >= 0x80) ascii = false;
        if (c != '"' && c != '\\' && static_cast<unsigned char>(c) >= 0x20) continue;
        out += text_.substr(begin, at_ - begin);
        if (c == '"') break;
        if (c != '\\') return fail("a control character stands in a text");
        if (!escape(out)) return false;
        begin = at_ + 1;
    }
    ++at_;
    // Escapes make valid UTF-8 only, so what is checked is what stood there raw.
    return ascii || is_utf8(out) || fail("a text is not UTF-8");
}

// At a backslash; ends on the escape's last character.
bool JsonReader::escape(std::string& out) {
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kValues = "\"\\/\b\f\n\r\t";
    ++at_;
    if (at_ >= text_.size()) return fail("a text does not end");
    if (text_[at_] != 'u') {
        const std::size_t index = kNames.find(text_[at_]);
        if (index == std::string_view::npos) return fail("an unknown escape");
        out += kValues[index];
        return true;
    }
    std::uint32_t code = 0;
    if (!hex4(code)) return false;
    if (code >= 0xD800 && code < 0xDC00 && text_.substr(at_ + 1, 2) == "\\u") {
        at_ += 2;
        std::uint32_t low = 0;
        if (!hex4(low)) return false;
        if (low < 0xDC00 || low > 0xDFFF) return fail("half of a surrogate pair");
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    if (code >= 0xD800 && code <= 0xDFFF) return fail("half of a surrogate pair");
    append_utf8(out, code);
    return true;
}

// At the 'u'; ends on the fourth digit.
bool JsonReader::hex4(std::uint32_t& out) {
    const std::string_view digits = text_.substr(at_ + 1, 4);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out, 16);
    if (digits.size() != 4 || error != std::errc{} || end != digits.data() + 4)
        return fail("four hex digits were expected");
    at_ += 4;
    return true;
}

bool JsonReader::number_text(std::string_view& out, bool& fraction) {
    skip_blanks();
    const std::size_t begin = at_;
    const auto digits = [this] {
        const std::size_t from = at_;
        while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
        return at_ - from;
    };
    const auto here = [this](char c) { return at_ < text_.size() && text_[at_] == c; };
    if (here('-')) ++at_;
    const bool zero = here('0');
    const std::size_t whole = digits();
    if (whole == 0 || (zero && whole > 1)) return fail("a value was expected");
    fraction = false;
    if (here('.')) {
        ++at_;
        fraction = true;
        if (digits() == 0) return fail("digits were expected");
    }
    if (here('e') || here('E')) {
        ++at_;
        fraction = true;
        if (here('+') || here('-')) ++at_;
        if (digits() == 0) return fail("digits were expected");
    }
    out = text_.substr(begin, at_ - begin);
    return true;
}

bool JsonReader::integer(std::int64_t& out) {
    std::string_view text;
    bool fraction = false;
    if (!number_text(text, fraction)) return false;
    if (fraction) return fail("a whole number was expected");
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} || fail("a number is out of range");
}

bool JsonReader::skip(int depth) {
    if (depth > kDeepest) return fail("nested too deeply");
    skip_blanks();
    if (at_ >= text_.size()) return fail("a value was expected");
    switch (text_[at_]) {
        case '{':
            return object([&](std::string_view) { return skip(depth + 1); });
        case '[':
            return array([&] { return skip(depth + 1); });
        case '"':
            return string(scratch_);
        case 't':
            return take_word("true") || fail("a value was expected");
        case 'f':
            return take_word("false") || fail("a value was expected");
        case 'n':
            return take_word("null") || fail("a value was expected");
        default: {
            std::string_view text;
            bool fraction = false;
            return number_text(text, fraction);
        }
    }
}

}  // namespace stoker::records
