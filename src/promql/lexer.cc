#include "promql/lexer.h"

#include <cctype>
#include <charconv>
#include <cmath>
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

class Lexer {
public:
    explicit Lexer(std::string_view query) : query_(query) {}

    Result<std::vector<Token>> run() {
        while (true) {
            skip_space();
            if (at_ == query_.size()) break;
            TRY_UNIT(next());
        }
        if (paren_depth_ != 0) return fail(query_.size(), "unclosed left parenthesis");
        if (in_braces_) return fail(query_.size(), "unexpected end of input inside braces");
        if (in_brackets_) return fail(query_.size(), "unclosed left bracket");
        push(TokenKind::End, at_);
        return std::move(tokens_);
    }

private:
    Error fail(std::size_t offset, std::string_view message) const { return parse_error(query_, offset, message); }

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

    Result<Unit> next() {
        const char c = peek();
        if (c == '"' || c == '\'' || c == '`') return string(c);
        if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number();
        if (is_word_start(c) || (c == ':' && !in_braces_ && !in_brackets_)) return word();
        if (in_braces_) return in_selector();
        return symbol();
    }

    Result<Unit> word() {
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
        return Unit{};
    }

    // A number or a duration: both start with a digit, and which it is shows only at its end.
    Result<Unit> number() {
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
        return Unit{};
    }

    Result<Unit> string(char delimiter) {
        const std::size_t begin = at_++;
        std::string text;
        while (true) {
            if (at_ == query_.size() || (query_[at_] == '\n' && delimiter != '`')) {
                return fail(begin, delimiter == '`' ? "unterminated raw string" : "unterminated quoted string");
            }
            const char c = query_[at_++];
            if (c == delimiter) break;
            if (c == '\\' && delimiter != '`') {
                TRY_UNIT(escape(text, delimiter));
            } else {
                text += c;
            }
        }
        push(TokenKind::String, begin);
        tokens_.back().text = std::move(text);
        return Unit{};
    }

    // Go's escapes; the backslash is already taken.
    Result<Unit> escape(std::string& text, char delimiter) {
        const std::size_t begin = at_ - 1;
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
            TRY(const std::uint32_t code, digits(begin, 3, 8, 255));
            text += static_cast<char>(code);
        } else if (c == 'x') {
            TRY(const std::uint32_t code, digits(begin, 2, 16, 255));
            text += static_cast<char>(code);
        } else if (c == 'u' || c == 'U') {
            TRY(const std::uint32_t code, digits(begin, c == 'u' ? 4 : 8, 16, 0x10ffff));
            if (code >= 0xd800 && code < 0xe000) return fail(begin, "escape sequence is an invalid Unicode code point");
            append_utf8(text, code);
        } else {
            return fail(begin, std::string("unknown escape sequence '\\") + c + "'");
        }
        return Unit{};
    }

    Result<std::uint32_t> digits(std::size_t begin, int count, int base, std::uint32_t max) {
        std::uint32_t code = 0;
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
        return code;
    }

    Result<Unit> in_selector() {
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
        return Unit{};
    }

    Result<Unit> symbol() {
        const char c = peek();
        const char d = peek(1);
        switch (c) {
            case '(':
                ++paren_depth_;
                return one(TokenKind::LeftParen);
            case ')':
                if (--paren_depth_ < 0) return fail(at_, "unexpected right parenthesis ')'");
                return one(TokenKind::RightParen);
            case '{':
                in_braces_ = true;
                return one(TokenKind::LeftBrace);
            case '}':
                return fail(at_, "unexpected right brace '}'");
            case '[':
                if (in_brackets_) return fail(at_, "unexpected left bracket '['");
                in_brackets_ = true;
                return one(TokenKind::LeftBracket);
            case ']':
                if (!in_brackets_) return fail(at_, "unexpected right bracket ']'");
                in_brackets_ = false;
                return one(TokenKind::RightBracket);
            case ':':
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

    Result<Unit> one(TokenKind kind) {
        take(kind, 1);
        return Unit{};
    }

    Result<Unit> comparison(char c, char d) {
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
        return Unit{};
    }

    std::string_view query_;
    std::size_t at_ = 0;
    int paren_depth_ = 0;
    bool in_braces_ = false;
    bool in_brackets_ = false;
    std::vector<Token> tokens_;
};

}  // namespace

Error parse_error(std::string_view query, std::size_t offset, std::string_view message) {
    return Error{Errc::InvalidArgument, place_of(query, offset) + ": parse error: " + std::string(message)};
}

Result<std::vector<Token>> tokenize(std::string_view query) {
    return Lexer(query).run();
}

}  // namespace stoker::promql
