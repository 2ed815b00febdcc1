#include "wire/openai_json.h"

#include <bit>
#include <charconv>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace stoker::wire {
namespace {

bool is_space(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

int hex_value(char c) {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// The first of '"', '\\' or a control character at or after `at`; the text's size if there is none.
std::size_t find_string_stop(std::string_view text, std::size_t at) {
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    const __m128i last_control = _mm_set1_epi8(0x1f);
    for (; at + 16 <= text.size(); at += 16) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
        const __m128i stops =
            _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)),
                         _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes));  // Unsigned bytes <= 0x1f.
        const auto mask = static_cast<unsigned>(_mm_movemask_epi8(stops));
        if (mask != 0) return at + static_cast<std::size_t>(std::countr_zero(mask));
    }
#endif
    for (; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20) return at;
    }
    return at;
}

void append_utf8(std::string& out, std::uint32_t code) {
    if (code < 0x80) {
        out += static_cast<char>(code);
    } else if (code < 0x800) {
        out += static_cast<char>(0xC0 | (code >> 6));
        out += static_cast<char>(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        out += static_cast<char>(0xE0 | (code >> 12));
        out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
        out += static_cast<char>(0x80 | (code & 0x3F));
    } else {
        out += static_cast<char>(0xF0 | (code >> 18));
        out += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
        out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
        out += static_cast<char>(0x80 | (code & 0x3F));
    }
}

// The four hex digits at `at`. REQUIRES: they were checked.
std::uint32_t four_hex(std::string_view text, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = at; i < at + 4; ++i) value = value * 16 + static_cast<std::uint32_t>(hex_value(text[i]));
    return value;
}

// Decodes the \uXXXX at `at` (and its second half, if it is a pair); returns where to go on.
std::size_t append_unicode_escape(std::string& out, std::string_view raw, std::size_t at) {
    std::uint32_t code = four_hex(raw, at + 2);
    at += 6;
    const bool high = code >= 0xD800 && code < 0xDC00;
    if (high && at + 6 <= raw.size() && raw[at] == '\\' && raw[at + 1] == 'u') {
        const std::uint32_t low = four_hex(raw, at + 2);
        if (low >= 0xDC00 && low < 0xE000) {
            append_utf8(out, 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00));
            return at + 6;
        }
    }
    if (code >= 0xD800 && code < 0xE000) code = 0xFFFD;
    append_utf8(out, code);
    return at;
}

}  // namespace

bool JsonCursor::fail(const char* problem) {
    if (problem_ == nullptr) problem_ = problem;
    return false;
}

void JsonCursor::skip_space() {
    if (at_ < text_.size() && text_[at_] > ' ') return;
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
}

JsonKind JsonCursor::peek() {
    if (failed()) return JsonKind::Invalid;
    skip_space();
    if (at_ >= text_.size()) return JsonKind::Invalid;
    switch (text_[at_]) {
        case '{':
            return JsonKind::Object;
        case '[':
            return JsonKind::Array;
        case '"':
            return JsonKind::String;
        case 't':
        case 'f':
            return JsonKind::Bool;
        case 'n':
            return JsonKind::Null;
        default:
            return text_[at_] == '-' || is_digit(text_[at_]) ? JsonKind::Number : JsonKind::Invalid;
    }
}

bool JsonCursor::skip_escape() {
    if (at_ + 1 >= text_.size()) return fail("the text ends inside a string");
    const char c = text_[at_ + 1];
    if (c != 'u') {
        if (std::string_view("\"\\/bfnrt").find(c) == std::string_view::npos) return fail("unknown escape in a string");
        at_ += 2;
        return true;
    }
    for (std::size_t i = at_ + 2; i < at_ + 6; ++i) {
        if (i >= text_.size()) return fail("the text ends inside a string");
        if (hex_value(text_[i]) < 0) return fail("\\u wants four hexadecimal digits");
    }
    at_ += 6;
    return true;
}

bool JsonCursor::skip_string() {
    ++at_;  // The opening quote.
    while (true) {
        at_ = find_string_stop(text_, at_);
        if (at_ >= text_.size()) return fail("the text ends inside a string");
        if (text_[at_] == '"') {
            ++at_;
            return true;
        }
        if (text_[at_] != '\\') return fail("control character in a string");
        if (!skip_escape()) return false;
    }
}

bool JsonCursor::skip_number() {
    auto digits = [this]() {
        const std::size_t begin = at_;
        while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
        return at_ > begin;
    };
    auto next_is = [this](char a, char b) { return at_ < text_.size() && (text_[at_] == a || text_[at_] == b); };
    if (text_[at_] == '-') ++at_;
    if (next_is('0', '0')) {
        ++at_;
    } else if (!digits()) {
        return fail("malformed number");
    }
    if (next_is('.', '.')) {
        ++at_;
        if (!digits()) return fail("malformed number");
    }
    if (next_is('e', 'E')) {
        ++at_;
        if (next_is('+', '-')) ++at_;
        if (!digits()) return fail("malformed number");
    }
    return true;
}

bool JsonCursor::skip_literal() {
    for (std::string_view literal : {"true", "false", "null"}) {
        if (text_.compare(at_, literal.size(), literal) == 0) {
            at_ += literal.size();
            return true;
        }
    }
    return fail("expected a value");
}

bool JsonCursor::skip_scalar() {
    switch (peek()) {
        case JsonKind::String:
            return skip_string();
        case JsonKind::Number:
            return skip_number();
        case JsonKind::Bool:
        case JsonKind::Null:
            return skip_literal();
        default:
            return fail(at_ < text_.size() ? "expected a value" : "the text ends where a value should stand");
    }
}

// Containers without recursion: one bit a level says whether it is an object.
bool JsonCursor::skip_container() {
    std::uint64_t objects[kMaxDepth / 64] = {};
    std::size_t depth = 0;
    auto is_object = [&]() { return (objects[(depth - 1) / 64] >> ((depth - 1) % 64)) & 1; };
    bool first = true;
    auto open = [&]() {
        if (depth == kMaxDepth) return fail("nested too deeply");
        const std::uint64_t bit = std::uint64_t{1} << (depth % 64);
        objects[depth / 64] = text_[at_] == '{' ? objects[depth / 64] | bit : objects[depth / 64] & ~bit;
        ++depth;
        ++at_;
        first = true;
        return true;
    };
    if (!open()) return false;
    while (depth > 0) {
        skip_space();
        if (at_ >= text_.size()) return fail("the text ends before its last bracket");
        if (text_[at_] == (is_object() ? '}' : ']')) {
            ++at_;
            --depth;
            first = false;
            continue;
        }
        if (!first) {
            if (text_[at_] != ',') return fail(is_object() ? "expected ',' or '}'" : "expected ',' or ']'");
            ++at_;
            skip_space();
        }
        if (is_object()) {
            if (at_ >= text_.size() || text_[at_] != '"') return fail("expected a key in double quotes");
            if (!skip_string()) return false;
            skip_space();
            if (at_ >= text_.size() || text_[at_] != ':') return fail("expected ':'");
            ++at_;
        }
        const JsonKind kind = peek();
        if (kind == JsonKind::Object || kind == JsonKind::Array) {
            if (!open()) return false;
        } else {
            if (!skip_scalar()) return false;
            first = false;
        }
    }
    return true;
}

bool JsonCursor::skip() {
    const JsonKind kind = peek();
    if (failed()) return false;
    const bool ok = kind == JsonKind::Object || kind == JsonKind::Array ? skip_container() : skip_scalar();
    first_ = false;
    return ok;
}

ByteRange JsonCursor::range() {
    peek();
    const std::size_t begin = at_;
    return skip() ? ByteRange{begin, at_} : ByteRange{};
}

bool JsonCursor::begin_object() {
    if (peek() != JsonKind::Object) return fail("expected an object");
    ++at_;
    first_ = true;
    return true;
}

bool JsonCursor::begin_array() {
    if (peek() != JsonKind::Array) return fail("expected an array");
    ++at_;
    first_ = true;
    return true;
}

bool JsonCursor::next_key(std::string_view& raw_key) {
    if (failed()) return false;
    skip_space();
    if (at_ >= text_.size()) return fail("the text ends before its last bracket");
    if (text_[at_] == '}') {
        ++at_;
        first_ = false;
        return false;
    }
    member_begin_ = at_;
    member_is_first_ = first_;
    if (!first_) {
        if (text_[at_] != ',') return fail("expected ',' or '}'");
        ++at_;
        skip_space();
    }
    first_ = false;
    if (at_ >= text_.size() || text_[at_] != '"') return fail("expected a key in double quotes");
    const std::size_t begin = at_ + 1;
    if (!skip_string()) return false;
    raw_key = text_.substr(begin, at_ - 1 - begin);
    skip_space();
    if (at_ >= text_.size() || text_[at_] != ':') return fail("expected ':'");
    ++at_;
    return true;
}

bool JsonCursor::next_element() {
    if (failed()) return false;
    skip_space();
    if (at_ >= text_.size()) return fail("the text ends before its last bracket");
    if (text_[at_] == ']') {
        ++at_;
        first_ = false;
        return false;
    }
    if (!first_) {
        if (text_[at_] != ',') return fail("expected ',' or ']'");
        ++at_;
    }
    first_ = false;
    return true;
}

std::string_view JsonCursor::raw_string() {
    if (peek() != JsonKind::String) {
        fail("expected a string");
        return {};
    }
    const std::size_t begin = at_ + 1;
    if (!skip_string()) return {};
    first_ = false;
    return text_.substr(begin, at_ - 1 - begin);
}

bool JsonCursor::boolean() {
    if (peek() != JsonKind::Bool) return fail("expected true or false");
    const bool value = text_[at_] == 't';
    first_ = false;
    return skip_literal() && value;
}

std::optional<std::int64_t> JsonCursor::integer() {
    if (peek() != JsonKind::Number) {
        fail("expected a number");
        return {};
    }
    const std::size_t begin = at_;
    first_ = false;
    if (!skip_number()) return {};
    std::int64_t value = 0;
    const auto [stop, error] = std::from_chars(text_.data() + begin, text_.data() + at_, value);
    if (error != std::errc{} || stop != text_.data() + at_) return {};
    return value;
}

bool JsonCursor::end() {
    if (failed()) return false;
    skip_space();
    return at_ == text_.size() || fail("something follows the end of the value");
}

bool key_is(std::string_view raw_key, std::string_view name) {
    if (raw_key.find('\\') == std::string_view::npos) return raw_key == name;
    return unescape(raw_key) == name;
}

std::string unescape(std::string_view raw) {
    std::string out;
    out.reserve(raw.size());
    for (std::size_t at = 0; at < raw.size();) {
        if (raw[at] != '\\') {
            out += raw[at++];
            continue;
        }
        const char c = raw[at + 1];
        if (c == 'u') {
            at = append_unicode_escape(out, raw, at);
            continue;
        }
        constexpr std::string_view kEscapes = "bfnrt";
        constexpr std::string_view kMeanings = "\b\f\n\r\t";
        const std::size_t which = kEscapes.find(c);
        out += which == std::string_view::npos ? c : kMeanings[which];
        at += 2;
    }
    return out;
}

}  // namespace stoker::wire
