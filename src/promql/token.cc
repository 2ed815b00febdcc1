#include "promql/token.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "promql/format.h"

namespace stoker::promql {

namespace {

constexpr std::array<std::string_view, 14> kAggregators = {
    "sum",    "avg",  "count",   "min",      "max",          "group",  "stddev",
    "stdvar", "topk", "bottomk", "quantile", "count_values", "limitk", "limit_ratio"};
constexpr std::array<std::string_view, 13> kKeywords = {
    "by",        "without",    "on",          "ignoring", "group_left", "fill", "offset",
    "fill_left", "fill_right", "group_right", "smoothed", "anchored",   "bool"};
// Keywords that no selector can be named by.
constexpr std::array<std::string_view, 6> kReserved = {"bool", "on", "ignoring", "group_left", "group_right", "atan2"};

std::string lower(std::string_view word) {
    std::string out(word);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

// Words that stand for something only in front of a parenthesis.
bool is_preprocessor(std::string_view word) {
    return word == "start" || word == "end" || word == "step" || word == "range" || word == "max_of" ||
           word == "min_of";
}

// Ten characters of it, if it is longer.
std::string shortened(std::string_view raw) {
    std::size_t characters = 0;
    for (std::size_t i = 0; i < raw.size(); ++i) {
        const bool begins = (static_cast<unsigned char>(raw[i]) & 0xc0) != 0x80;
        if (begins && ++characters > 10) return quote(raw.substr(0, i)) + "...";
    }
    return quote(raw);
}

bool is_set_operator(std::string_view word) {
    return word == "and" || word == "or" || word == "unless" || word == "atan2";
}

}  // namespace

bool is_aggregator(std::string_view word) {
    return std::find(kAggregators.begin(), kAggregators.end(), lower(word)) != kAggregators.end();
}

bool is_keyword(std::string_view word) {
    return std::find(kKeywords.begin(), kKeywords.end(), lower(word)) != kKeywords.end();
}

bool is_metric_name(std::string_view word) {
    return std::find(kReserved.begin(), kReserved.end(), lower(word)) == kReserved.end();
}

bool is_function_name(std::string_view word) {
    return word.find(':') == std::string_view::npos && !is_keyword(word) && !is_set_operator(lower(word)) &&
           !is_aggregator(word);
}

std::string describe(const Token& token, std::string_view raw) {
    switch (token.kind) {
        case TokenKind::End:
            return "end of input";
        case TokenKind::Word: {
            const std::string word = lower(token.text);
            if (is_aggregator(word)) return "<aggr:" + token.text + ">";
            if (is_set_operator(word)) return "<op:" + token.text + ">";
            if (is_keyword(word)) return "<" + token.text + ">";
            if (is_preprocessor(word)) return quote(token.text);
            return (token.text.find(':') == std::string::npos ? "identifier " : "metric identifier ") +
                   quote(token.text);
        }
        case TokenKind::Number:
            return "number " + shortened(raw);
        case TokenKind::Duration:
            return "duration " + shortened(raw);
        case TokenKind::String:
            return "string " + shortened(raw);
        case TokenKind::Plus:
        case TokenKind::Minus:
        case TokenKind::Star:
        case TokenKind::Slash:
        case TokenKind::Percent:
        case TokenKind::Caret:
        case TokenKind::EqualEqual:
        case TokenKind::NotEqual:
        case TokenKind::Less:
        case TokenKind::LessEqual:
        case TokenKind::Greater:
        case TokenKind::GreaterEqual:
        case TokenKind::TrimUpper:
        case TokenKind::TrimLower:
        case TokenKind::RegexMatch:
        case TokenKind::RegexNotMatch:
        case TokenKind::At:
            return "<op:" + token.text + ">";
        default:
            return quote(token.text);
    }
}

std::string place_of(std::string_view query, std::size_t offset) {
    offset = std::min(offset, query.size());
    const std::string_view before = query.substr(0, offset);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::size_t newline = before.rfind('\n');
    const std::size_t column = newline == std::string_view::npos ? offset + 1 : offset - newline;
    return std::to_string(line) + ":" + std::to_string(column);
}

}  // namespace stoker::promql
