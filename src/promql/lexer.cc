#include "promql/lexer.h"

#include <cctype>

#include "promql/format.h"
#include "promql/string_literal.h"

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
        if (c == '"' || c == '\'' || c == '`') return string();
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

    bool string() {
        const std::size_t begin = at_;
        StringText read = read_string(query_.substr(begin));
        if (!read.problem.empty()) return fail(begin, std::move(read.problem));
        at_ = begin + read.length;
        push(TokenKind::String, begin);
        tokens_.back().text = std::move(read.text);
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
            if (d == '=') {
                take(TokenKind::LessEqual, 2);
            } else if (d == '/') {
                take(TokenKind::TrimUpper, 2);
            } else {
                take(TokenKind::Less, 1);
            }
        } else if (c == '>') {
            if (d == '=') {
                take(TokenKind::GreaterEqual, 2);
            } else if (d == '/') {
                take(TokenKind::TrimLower, 2);
            } else {
                take(TokenKind::Greater, 1);
            }
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
