#include "promql/ast.h"

#include <array>
#include <tuple>

#include "promql/parser_state.h"

namespace stoker::promql {

std::string_view to_string(ValueType type) {
    switch (type) {
        case ValueType::Scalar:
            return "scalar";
        case ValueType::String:
            return "string";
        case ValueType::InstantVector:
            return "instant vector";
        case ValueType::RangeVector:
            break;
    }
    return "range vector";
}

std::string_view to_string(BinaryOp op) {
    static constexpr std::array<std::string_view, 18> kNames = {
        "+", "-", "*", "/", "%", "^", "atan2", "==", "!=", "<", "<=", ">", ">=", "</", ">/", "and", "or", "unless"};
    return kNames[static_cast<std::size_t>(op)];
}

std::string_view to_string(Aggregate::Op op) {
    static constexpr std::array<std::string_view, 14> kNames = {
        "sum",    "avg",  "count",   "min",      "max",          "group",  "stddev",
        "stdvar", "topk", "bottomk", "quantile", "count_values", "limitk", "limit_ratio"};
    return kNames[static_cast<std::size_t>(op)];
}

const Expr& unwrap(const Expr& expr) {
    const Expr* inner = &expr;
    while (const auto* paren = inner->as<Paren>()) inner = paren->inner.get();
    return *inner;
}

namespace internal {

bool is_word(const Token& token, std::string_view keyword) {
    if (token.kind != TokenKind::Word || token.text.size() != keyword.size()) return false;
    return std::equal(keyword.begin(), keyword.end(), token.text.begin(), [](char a, char b) {
        return a == static_cast<char>(std::tolower(static_cast<unsigned char>(b)));
    });
}

Error Parser::unexpected(const Token& token, std::string_view context, std::string_view expected) const {
    if (context.empty() && expected.empty() && !contexts_.empty()) {
        std::tie(context, expected) = contexts_.back();
    }
    std::string message = "unexpected " + describe(token, query_.substr(token.begin, token.end - token.begin));
    if (!context.empty()) message += " in " + std::string(context);
    if (!expected.empty()) message += ", expected " + std::string(expected);
    return fail(token, message);
}

Result<Unit> Parser::expect(TokenKind kind, std::string_view context, std::string_view expected) {
    if (peek().kind != kind) return unexpected(peek(), context, expected);
    take();
    return Unit{};
}

}  // namespace internal
}  // namespace stoker::promql
