// The tokens of PromQL, with their places in the text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace stoker::promql {

enum class TokenKind : std::uint8_t {
    End,
    Error,     // Where the lexer could not go on; `text` says why. The last token.
    Word,      // Identifier, metric name, keyword or aggregator; the parser decides by where it stands.
    Number,    // 1, 0x1f, 1e3, Inf, NaN
    Duration,  // 5m, 1h30m; `number` holds seconds
    String,    // `text` is unescaped
    LeftParen,
    RightParen,
    LeftBrace,
    RightBrace,
    LeftBracket,
    RightBracket,
    Comma,
    Colon,
    At,
    Assign,         // =
    NotEqual,       // !=
    RegexMatch,     // =~
    RegexNotMatch,  // !~
    EqualEqual,     // ==
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    TrimUpper,  // </
    TrimLower,  // >/
    Plus,
    Minus,
    Star,
    Slash,
    Percent,
    Caret
};

struct Token {
    TokenKind kind = TokenKind::End;
    std::size_t begin = 0;  // Byte offsets into the query.
    std::size_t end = 0;
    std::string text;   // As written, save for strings.
    double number = 0;  // Numbers, and durations in seconds.
};

// How an error message names the token: `"foo"`, `<op:+>`, `end of input`. `raw`: as it stands in the query.
std::string describe(const Token& token, std::string_view raw);

bool is_aggregator(std::string_view word);  // In any case: sum, TOPK.
bool is_keyword(std::string_view word);
bool is_metric_name(std::string_view word);    // Whether a selector may have it for a name: not `on`, `bool`, ...
bool is_function_name(std::string_view word);  // Whether a call may begin with it.

// Byte offset to "line:column", both from 1, as error messages start.
std::string place_of(std::string_view query, std::size_t offset);

}  // namespace stoker::promql
