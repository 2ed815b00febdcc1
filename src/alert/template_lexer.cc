#include "alert/template_lexer.h"

#include <algorithm>
#include <utility>

namespace stoker::alert::internal {
namespace {

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
// Bytes of other alphabets count as letters.
bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
std::size_t name_length(std::string_view text) {
    return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_name) - text.begin());
}

}  // namespace

Token TemplateLexer::make(Token::Kind kind, std::size_t length) {
    Token token{kind, at_, std::string(source_.substr(at_, length))};
    at_ += length;
    return token;
}

Token TemplateLexer::problem(std::size_t at, std::string what) {
    source_ = source_.substr(0, at);
    at_ = at;
    in_action_ = false;
    return {Token::Kind::Problem, at, std::move(what)};
}

Token TemplateLexer::next() {
    if (in_action_) return inside();
    return text();
}

Token TemplateLexer::text() {
    while (true) {
        if (std::exchange(trim_, false)) {
            while (at_ < source_.size() && is_space(source_[at_])) ++at_;
        }
        if (at_ == source_.size()) return {Token::Kind::End, at_, ""};
        if (auto token = piece()) return *std::move(token);
    }
}

// The text up to the next {{, or that {{; nothing for a comment.
std::optional<Token> TemplateLexer::piece() {
    const std::size_t begin = std::min(source_.find("{{", at_), source_.size());
    std::size_t end = begin;
    const std::string_view after = source_.substr(std::min(begin + 2, source_.size()));
    if (after.size() > 1 && after[0] == '-' && is_space(after[1])) {
        while (end > at_ && is_space(source_[end - 1])) --end;
    }
    if (end > at_) {
        Token token{Token::Kind::Text, at_, std::string(source_.substr(at_, end - at_))};
        at_ = begin;
        return token;
    }
    at_ = begin;
    if (at_ == source_.size()) return Token{Token::Kind::End, at_, ""};
    return open();
}

std::optional<Token> TemplateLexer::open() {
    Token token = make(Token::Kind::Open, 2);
    if (rest().size() > 1 && rest()[0] == '-' && is_space(rest()[1])) at_ += 2;
    if (rest().starts_with("/*")) {
        const std::size_t end = source_.find("*/", at_ + 2);
        if (end == std::string_view::npos) return problem(token.at, "unclosed comment");
        at_ = end + 2;
        bool trims = false;
        if (!close_ahead(trims)) return problem(token.at, "comment ends before closing delimiter");
        at_ += trims ? 4 : 2;
        trim_ = trims;
        return std::nullopt;
    }
    in_action_ = true;
    parens_ = 0;
    return token;
}

bool TemplateLexer::close_ahead(bool& trims) const {
    const std::string_view ahead = rest();
    trims = ahead.size() > 3 && is_space(ahead[0]) && ahead.substr(1).starts_with("-}}");
    return trims || ahead.starts_with("}}");
}

Token TemplateLexer::inside() {
    bool trims = false;
    if (close_ahead(trims)) {
        if (parens_ != 0) return problem(at_, "unclosed left paren");
        in_action_ = false;
        trim_ = trims;
        return make(Token::Kind::Close, trims ? 4 : 2);
    }
    const std::string_view ahead = rest();
    if (ahead.empty()) return problem(at_, "unclosed action");
    const char c = ahead[0];
    if (is_space(c)) {
        std::size_t length = 1;
        // The last space belongs to " -}}", if that follows.
        while (length < ahead.size() && is_space(ahead[length]) && !ahead.substr(length + 1).starts_with("-}}"))
            ++length;
        return make(Token::Kind::Space, length);
    }
    switch (c) {
        case '=':
            return make(Token::Kind::Assign, 1);
        case ',':
            return make(Token::Kind::Comma, 1);
        case '|':
            return make(Token::Kind::Pipe, 1);
        case '(':
            ++parens_;
            return make(Token::Kind::OpenParen, 1);
        case ')':
            if (--parens_ < 0) return problem(at_, "unexpected right paren");
            return make(Token::Kind::CloseParen, 1);
        case ':':
            if (ahead.starts_with(":=")) return make(Token::Kind::Declare, 2);
            return problem(at_, "expected :=");
        case '"':
        case '`':
        case '\'':
            return quoted(c);
        case '$':
            return make(Token::Kind::Variable, 1 + name_length(ahead.substr(1)));
        case '.':
            if (ahead.size() > 1 && is_digit(ahead[1])) return number();
            if (ahead.size() > 1 && is_name(ahead[1]))
                return make(Token::Kind::Field, 1 + name_length(ahead.substr(1)));
            return make(Token::Kind::Dot, 1);
        case '+':
        case '-':
            return number();
        default:
            break;
    }
    if (is_digit(c)) return number();
    if (is_name(c)) return make(Token::Kind::Name, name_length(ahead));
    return problem(at_, std::string("unexpected \"") + c + "\" in operand");
}

Token TemplateLexer::quoted(char quote) {
    const std::string_view ahead = rest();
    for (std::size_t i = 1; i < ahead.size(); ++i) {
        if (ahead[i] == quote) {
            const auto kind = quote == '"'   ? Token::Kind::String
                              : quote == '`' ? Token::Kind::RawString
                                             : Token::Kind::Char;
            return make(kind, i + 1);
        }
        if (quote == '`') continue;
        if (ahead[i] == '\n') break;
        if (ahead[i] == '\\') ++i;
    }
    return problem(at_, quote == '`'   ? "unterminated raw quoted string"
                        : quote == '"' ? "unterminated quoted string"
                                       : "unterminated character constant");
}

// Everything that may belong to a number; the parser says whether it is one.
Token TemplateLexer::number() {
    const std::string_view ahead = rest();
    const bool hex = ahead.starts_with("0x") || ahead.starts_with("0X") || ahead.substr(1).starts_with("0x");
    std::size_t length = 1;
    while (length < ahead.size()) {
        const char c = ahead[length];
        const char before = ahead[length - 1];
        const bool exponent_sign =
            (c == '+' || c == '-') && (hex ? before == 'p' || before == 'P' : before == 'e' || before == 'E');
        if (!is_name(c) && c != '.' && !exponent_sign) break;
        ++length;
    }
    return make(Token::Kind::Number, length);
}

}  // namespace stoker::alert::internal
