// Cuts a template into tokens: text, and what stands between {{ and }}.
//
// Go's rules: "{{- " takes the space before it away and " -}}" the space after it; {{/* ... */}} is nothing; within an
// action, space matters (`$x .y` are two operands, `$x.y` is one), so it is a token. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stoker::alert::internal {

struct Token {
    enum class Kind : std::uint8_t {
        Text,
        Open,   // {{
        Close,  // }}
        Space,
        Name,      // Function, keyword, true, false, nil.
        Field,     // .name
        Variable,  // $ or $name
        Dot,
        Number,
        Char,       // 'a'
        String,     // "..."
        RawString,  // `...`
        Pipe,
        Assign,
        Declare,
        Comma,
        OpenParen,
        CloseParen,
        End,
        Problem  // `text` says what is wrong.
    };
    Kind kind = Kind::End;
    std::size_t at = 0;  // Offset in the template.
    std::string text;
};

class TemplateLexer {
public:
    // REQUIRES: `source` outlives the lexer.
    explicit TemplateLexer(std::string_view source) : source_(source) {}

    // After End or Problem, the same again.
    Token next();

private:
    Token text();
    std::optional<Token> piece();
    std::optional<Token> open();
    Token inside();
    Token quoted(char quote);
    Token number();
    Token problem(std::size_t at, std::string what);
    Token make(Token::Kind kind, std::size_t length);
    bool close_ahead(bool& trims) const;
    std::string_view rest() const { return source_.substr(at_); }

    std::string_view source_;
    std::size_t at_ = 0;
    int parens_ = 0;
    bool in_action_ = false;
    bool trim_ = false;  // The text that follows loses its leading space.
};

}  // namespace stoker::alert::internal
