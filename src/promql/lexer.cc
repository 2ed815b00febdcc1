#include "promql/lexer.h"

#include <array>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <limits>

#include "promql/format.h"

namespace stoker::promql {

namespace {

bool is_word_start(char c) {
    return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_word(char c) {
    return is_word_start(c) || is_digit(c);
}

void append_utf8(std::string& out, std::uint32_t code) {
    if (code < 0x80) {
        out += static_cast<char>(code);
    } else if (code < 0x800) {
        out += static_cast<char>(0xc0 | (code >> 6));
        out += static_cast<char>(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        out += static_cast<char>(0xe0 | (code >> 12));
        out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
        out += static_cast<char>(0x80 | (code & 0x3f));
    } else {
        out += static_cast<char>(0xf0 | (code >> 18));
        out += static_cast<char>(0x80 | ((code >> 12) & 0x3f));
        out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
        out += static_cast<char>(0x80 | (code & 0x3f));
    }
}

// Go's %#U of the character at `offset`: U+0071 'q'.
std::string code_point(std::string_view text, std::size_t offset) {
    std::array<char, 16> number{};
    std::snprintf(number.data(), number.size(), "U+%04X ", static_cast<unsigned char>(text[offset]));
    return number.data() + quote_char(text, offset);
}

class Lexer {
public:
    explicit Lexer(std::string_view query) : query_(query) {}

    std::vector<Token> run() {
        if (!read_all()) {
            Token token;
            token.kind = TokenKind::Error;
            token.begin = token.end = problem_at_;
            token.text = problem_;
            tokens_.push_back(std::move(token));
        }
        return std::move(tokens_);
    }

private:
    bool read_all() {
        while (true) {
            skip_space();
            if (at_ == query_.size()) break;
            if (!next()) return false;
        }
        if (paren_depth_ != 0) return fail(at_, "unclosed left parenthesis");
        if (in_braces_) return fail(at_, "unexpected end of input inside braces");
        if (in_brackets_) return fail(at_, "unclosed left bracket");
        push(TokenKind::End, at_);
        return true;
    }

    // Notes the problem; false, for the caller to hand on.
    bool fail(std::size_t offset, std::string message) {
        problem_at_ = offset;
        problem_ = std::move(message);
        return false;
    }

    char peek(std::size_t ahead = 0) const { return at_ + ahead < query_.size() ? query_[at_ + ahead] : '\0'; }

    void push(TokenKind kind, std::size_t begin) {
        Token token;
        token.kind = kind;
        token.begin = begin;
        token.end = at_;
        token.text = std::string(query_.substr(begin, at_ - begin));
        tokens_.push_back(std::move(token));
    }

    void take(TokenKind kind, std::size_t length) {
        const std::size_t begin = at_;
        at_ += length;
        push(kind, begin);
    }

    void skip_space() {
        while (at_ < query_.size()) {
            const char c = query_[at_];
            if (c == '#') {
                while (at_ < query_.size() && query_[at_] != '\n') ++at_;
            } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
                ++at_;
            } else {
                break;
            }
        }
    }

    bool next() {
        const char c = peek();
        if (c == '"' || c == '\'' || c == '`') return string(c);
        if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number();
        if (is_word_start(c) || (c == ':' && !in_braces_ && !in_brackets_)) return word();
        if (in_braces_) return in_selector();
        return symbol();
    }

    bool word() {
        const std::size_t begin = at_;
        while (at_ < query_.size() && (is_word(query_[at_]) || (query_[at_] == ':' && !in_braces_ && !in_brackets_))) {
            ++at_;
        }
        push(TokenKind::Word, begin);
        double value = 0;
        Token& token = tokens_.back();
        if (!in_braces_ && (token.text.size() == 3) && read_number(token.text, value)) {
            token.kind = TokenKind::Number;
            token.number = value;
        }
        return true;
    }

    // A number or a duration: both start with a digit, and which it is shows only at its end.
    bool number() {
        const std::size_t begin = at_;
        while (at_ < query_.size()) {
            const char c = query_[at_];
            const char before = at_ > begin ? query_[at_ - 1] : '\0';
            const bool hex = query_.substr(begin, 2) == "0x" || query_.substr(begin, 2) == "0X";
            const bool exponent_sign = (c == '+' || c == '-') && (before == 'e' || before == 'E') && !hex;
            if (!is_word(c) && c != '.' && !exponent_sign) break;
            ++at_;
        }
        const std::string_view text = query_.substr(begin, at_ - begin);
        std::int64_t millis = 0;
        double value = 0;
        if (read_number(text, value)) {
            push(TokenKind::Number, begin);
        } else if (read_duration(text, millis)) {
            push(TokenKind::Duration, begin);
            value = static_cast<double>(millis) / 1000;
        } else {
            return fail(begin, "bad number or duration syntax: " + quote(text));
        }
        tokens_.back().number = value;
        return true;
    }

    bool string(char delimiter) {
        const std::size_t begin = at_++;
        std::string text;
        while (true) {
            if (at_ == query_.size() || (query_[at_] == '\n' && delimiter != '`')) {
                return fail(begin, delimiter == '`' ? "unterminated raw string" : "unterminated quoted string");
            }
            const char c = query_[at_++];
            if (c == delimiter) break;
            if (c == '\\' && delimiter != '`') {
                if (!escape(text, delimiter, begin)) return false;
            } else {
                text += c;
            }
        }
        push(TokenKind::String, begin);
        tokens_.back().text = std::move(text);
        return true;
    }

    // Go's escapes; the backslash is already taken.
    bool escape(std::string& text, char delimiter, std::size_t begin) {
        if (at_ == query_.size()) return fail(begin, "escape sequence not terminated");
        const char c = query_[at_++];
        static constexpr std::string_view kNames = "abfnrtv\\";
        static constexpr std::string_view kValues = "\a\b\f\n\r\t\v\\";
        if (c == delimiter) {
            text += c;
        } else if (const std::size_t i = kNames.find(c); i != std::string_view::npos) {
            text += kValues[i];
        } else if (c >= '0' && c <= '7') {
            --at_;
            std::uint32_t code = 0;
            if (!digits(begin, 3, 8, 255, code)) return false;
            text += static_cast<char>(code);
        } else if (c == 'x') {
            std::uint32_t code = 0;
            if (!digits(begin, 2, 16, 255, code)) return false;
            text += static_cast<char>(code);
        } else if (c == 'u' || c == 'U') {
            std::uint32_t code = 0;
            if (!digits(begin, c == 'u' ? 4 : 8, 16, 0x10ffff, code)) return false;
            if (code >= 0xd800 && code < 0xe000) return fail(begin, "escape sequence is an invalid Unicode code point");
            append_utf8(text, code);
        } else {
            return fail(begin, "unknown escape sequence " + code_point(query_, at_ - 1));
        }
        return true;
    }

    bool digits(std::size_t begin, int count, int base, std::uint32_t max, std::uint32_t& code) {
        if (at_ + static_cast<std::size_t>(count) > query_.size()) {
            return fail(begin, "escape sequence not terminated");
        }
        const char* first = query_.data() + at_;
        const auto [end, error] = std::from_chars(first, first + count, code, base);
        if (error != std::errc() || end != first + count) {
            return fail(begin, "illegal character in escape sequence");
        }
        if (code > max) return fail(begin, "escape sequence is an invalid Unicode code point");
        at_ += static_cast<std::size_t>(count);
        return true;
    }

    bool in_selector() {
        const char c = peek();
        const char d = peek(1);
        if (c == '{') return fail(at_, "unexpected left brace '{'");
        if (c == '}') {
            in_braces_ = false;
            take(TokenKind::RightBrace, 1);
        } else if (c == ',') {
            take(TokenKind::Comma, 1);
        } else if (c == '=') {
            d == '~' ? take(TokenKind::RegexMatch, 2) : take(TokenKind::Assign, 1);
        } else if (c == '!' && d == '~') {
            take(TokenKind::RegexNotMatch, 2);
        } else if (c == '!' && d == '=') {
            take(TokenKind::NotEqual, 2);
        } else if (c == '!') {
            return fail(at_, "unexpected character after '!' inside braces: " + quote_char(query_, at_ + 1));
        } else {
            return fail(at_, "unexpected character inside braces: " + quote_char(query_, at_));
        }
        return true;
    }

    bool symbol() {
        const char c = peek();
        const char d = peek(1);
        switch (c) {
            case '(':
                ++paren_depth_;
                return one(TokenKind::LeftParen);
            case ')':
                if (--paren_depth_ < 0) return fail(at_ + 1, "unexpected right parenthesis ')'");
                return one(TokenKind::RightParen);
            case '{':
                in_braces_ = true;
                return one(TokenKind::LeftBrace);
            case '[':
                if (in_brackets_) return fail(at_, "unexpected left bracket '['");
                in_brackets_ = true;
                had_colon_ = false;
                return one(TokenKind::LeftBracket);
            case ']':
                if (!in_brackets_) return fail(at_, "unexpected right bracket ']'");
                in_brackets_ = false;
                return one(TokenKind::RightBracket);
            case ':':
                if (had_colon_) return fail(at_, "unexpected colon ':'");
                had_colon_ = true;
                return one(TokenKind::Colon);
            case ',':
                return one(TokenKind::Comma);
            case '@':
                return one(TokenKind::At);
            case '+':
                return one(TokenKind::Plus);
            case '-':
                return one(TokenKind::Minus);
            case '*':
                return one(TokenKind::Star);
            case '/':
                return one(TokenKind::Slash);
            case '%':
                return one(TokenKind::Percent);
            case '^':
                return one(TokenKind::Caret);
            default:
                return comparison(c, d);
        }
    }

    bool one(TokenKind kind) {
        take(kind, 1);
        return true;
    }

    bool comparison(char c, char d) {
        if (c == '=' && d == '=') {
            take(TokenKind::EqualEqual, 2);
        } else if (c == '=' && d == '~') {
            return fail(at_, "unexpected character after '=': '~'");
        } else if (c == '=') {
            take(TokenKind::Assign, 1);
        } else if (c == '!' && d == '=') {
            take(TokenKind::NotEqual, 2);
        } else if (c == '!') {
            return fail(at_, "unexpected character after '!': " + quote_char(query_, at_ + 1));
        } else if (c == '<') {
            d == '=' ? take(TokenKind::LessEqual, 2) : take(TokenKind::Less, 1);
        } else if (c == '>') {
            d == '=' ? take(TokenKind::GreaterEqual, 2) : take(TokenKind::Greater, 1);
        } else {
            return fail(at_, "unexpected character: " + quote_char(query_, at_));
        }
        return true;
    }

    std::string_view query_;
    std::size_t at_ = 0;
    int paren_depth_ = 0;
    bool in_braces_ = false;
    bool in_brackets_ = false;
    bool had_colon_ = false;  // In these brackets.
    std::vector<Token> tokens_;
    std::size_t problem_at_ = 0;
    std::string problem_;
};

}  // namespace

Error parse_error(std::string_view query, std::size_t offset, std::string_view message) {
    return Error{Errc::InvalidArgument, place_of(query, offset) + ": parse error: " + std::string(message)};
}

std::vector<Token> tokenize(std::string_view query) {
    return Lexer(query).run();
}

}  // namespace stoker::promql
