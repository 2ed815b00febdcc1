#include "promql/parser.h"

#include <utility>

#include "promql/parser_state.h"

namespace stoker::promql {

namespace internal {

namespace {

struct Operator {
    BinaryOp op;
    int precedence;
    bool right_associative = false;
};

std::optional<Operator> operator_of(const Token& token) {
    switch (token.kind) {
        case TokenKind::Plus:
            return Operator{BinaryOp::Add, 4};
        case TokenKind::Minus:
            return Operator{BinaryOp::Sub, 4};
        case TokenKind::Star:
            return Operator{BinaryOp::Mul, 5};
        case TokenKind::Slash:
            return Operator{BinaryOp::Div, 5};
        case TokenKind::Percent:
            return Operator{BinaryOp::Mod, 5};
        case TokenKind::Caret:
            return Operator{BinaryOp::Pow, 6, true};
        case TokenKind::EqualEqual:
            return Operator{BinaryOp::Equal, 3};
        case TokenKind::NotEqual:
            return Operator{BinaryOp::NotEqual, 3};
        case TokenKind::Less:
            return Operator{BinaryOp::Less, 3};
        case TokenKind::LessEqual:
            return Operator{BinaryOp::LessEqual, 3};
        case TokenKind::Greater:
            return Operator{BinaryOp::Greater, 3};
        case TokenKind::GreaterEqual:
            return Operator{BinaryOp::GreaterEqual, 3};
        case TokenKind::TrimUpper:
            return Operator{BinaryOp::TrimUpper, 3};
        case TokenKind::TrimLower:
            return Operator{BinaryOp::TrimLower, 3};
        default:
            break;
    }
    if (is_word(token, "and")) return Operator{BinaryOp::And, 2};
    if (is_word(token, "unless")) return Operator{BinaryOp::Unless, 2};
    if (is_word(token, "or")) return Operator{BinaryOp::Or, 1};
    if (is_word(token, "atan2")) return Operator{BinaryOp::Atan2, 5};
    return std::nullopt;
}

}  // namespace

Result<ExprPtr> Parser::whole() {
    if (peek().kind == TokenKind::End) return parse_error(query_, 0, "no expression found in input");
    TRY(ExprPtr expr, expression(0));
    if (peek().kind != TokenKind::End) return unexpected(peek());
    return expr;
}

Result<ExprPtr> Parser::expression(int min_precedence) {
    const Nesting nesting(*this);
    if (too_deep()) return fail(peek(), "expression is nested too deeply");
    TRY(ExprPtr left, unary());
    while (true) {
        const std::optional<Operator> found = operator_of(peek());
        if (!found || found->precedence < min_precedence) return left;
        auto expr = std::make_unique<Expr>();
        Binary binary;
        binary.op_begin = take().begin;
        binary.op = found->op;
        TRY_UNIT(modifiers(binary, left->begin));
        TRY(binary.right, expression(found->right_associative ? found->precedence : found->precedence + 1));
        expr->begin = left->begin;
        expr->end = binary.right->end;
        expr->depth = 1 + std::max(left->depth, binary.right->depth);
        if (expr->depth > kMaxDepth) return fail(peek(), "expression is nested too deeply");
        binary.left = std::move(left);
        expr->node = std::move(binary);
        left = std::move(expr);
    }
}

// Signs bind looser than ^ and tighter than *: -2^2 is -4.
Result<ExprPtr> Parser::unary() {
    if (peek().kind != TokenKind::Plus && peek().kind != TokenKind::Minus) return postfix();
    const Token sign = take();
    TRY(ExprPtr inner, expression(6));
    auto* number = inner->as<NumberLiteral>();
    if (number != nullptr) {
        if (sign.kind == TokenKind::Minus) number->value = -number->value;
        inner->begin = sign.begin;
        return inner;
    }
    auto expr = std::make_unique<Expr>();
    expr->begin = sign.begin;
    expr->end = inner->end;
    expr->depth = inner->depth + 1;
    if (expr->depth > kMaxDepth) return fail(sign, "expression is nested too deeply");
    expr->node = Unary{sign.kind == TokenKind::Minus, std::move(inner)};
    return expr;
}

// bool, on(...), ignoring(...), group_left(...), group_right(...).
Result<Unit> Parser::modifiers(Binary& binary, std::size_t begin) {
    Matching& matching = binary.matching;
    if (is_set_operator(binary.op)) matching.card = Matching::Card::ManyToMany;
    if (is_word(peek(), "bool")) {
        take();
        if (!is_comparison(binary.op)) {
            return parse_error(query_, binary.op_begin, "bool modifier can only be used on comparison operators");
        }
        binary.return_bool = true;
    }
    if (is_word(peek(), "on") || is_word(peek(), "ignoring")) TRY_UNIT(grouping(binary, begin));
    TRY_UNIT(fill(matching));
    if ((matching.fill_left || matching.fill_right) && features_ != Features::Experimental) {
        return parse_error(query_, begin, "binop fill modifiers are experimental and not enabled");
    }
    return Unit{};
}

Result<Unit> Parser::grouping(Binary& binary, std::size_t begin) {
    Matching& matching = binary.matching;
    matching.on = is_word(take(), "on");
    matching.given = true;
    TRY(matching.labels, label_list());
    if (!is_word(peek(), "group_left") && !is_word(peek(), "group_right")) return Unit{};
    const Token group = take();
    if (is_set_operator(binary.op)) {
        return parse_error(query_, begin,
                           "no grouping allowed for \"" + std::string(to_string(binary.op)) + "\" operation");
    }
    matching.card = is_word(group, "group_left") ? Matching::Card::ManyToOne : Matching::Card::OneToMany;
    if (peek().kind == TokenKind::LeftParen) {
        TRY(matching.include, label_list());
    }
    for (const std::string& label : matching.include) {
        if (matching.on && std::find(matching.labels.begin(), matching.labels.end(), label) != matching.labels.end()) {
            return parse_error(query_, binary.op_begin,
                               "label " + quote(label) + " must not occur in ON and GROUP clause at once");
        }
    }
    return Unit{};
}

// fill(v), or fill_left(v) and fill_right(v) in either order.
Result<Unit> Parser::fill(Matching& matching) {
    if (is_word(peek(), "fill")) {
        take();
        TRY(const double value, fill_value());
        matching.fill_left = matching.fill_right = value;
        return Unit{};
    }
    while ((is_word(peek(), "fill_left") && !matching.fill_left) ||
           (is_word(peek(), "fill_right") && !matching.fill_right)) {
        std::optional<double>& side = is_word(take(), "fill_left") ? matching.fill_left : matching.fill_right;
        TRY(side, fill_value());
    }
    return Unit{};
}

Result<double> Parser::fill_value() {
    TRY_UNIT(expect(TokenKind::LeftParen, "", ""));
    const bool negative = peek().kind == TokenKind::Minus;
    if (negative || peek().kind == TokenKind::Plus) take();
    if (peek().kind != TokenKind::Number && peek().kind != TokenKind::Duration) return unexpected(peek());
    const double value = take().number;
    TRY_UNIT(expect(TokenKind::RightParen, "", ""));
    return negative ? -value : value;
}

// The label names of by(), on() and their kin, with their parentheses. A trailing comma is allowed.
Result<std::vector<std::string>> Parser::label_list() {
    TRY_UNIT(expect(TokenKind::LeftParen, "grouping opts", "\"(\""));
    std::vector<std::string> names;
    while (peek().kind != TokenKind::RightParen) {
        const Token token = peek();
        const bool inf_or_nan = token.kind == TokenKind::Number && std::isalpha(token.text[0]) != 0;
        if (token.kind != TokenKind::Word && token.kind != TokenKind::String && !inf_or_nan) {
            return unexpected(token, "grouping opts", "label");
        }
        if (token.text.empty() || (token.kind == TokenKind::Word && token.text.find(':') != std::string::npos)) {
            return unexpected(token, "grouping opts", "label");
        }
        take();
        names.push_back(token.text);
        if (peek().kind == TokenKind::Comma) {
            take();
        } else if (peek().kind != TokenKind::RightParen) {
            return unexpected(peek(), "grouping opts", "\",\" or \")\"");
        }
    }
    take();
    return names;
}

}  // namespace internal

Result<ExprPtr> parse(std::string_view query, Features features) {
    TRY(ExprPtr expr, internal::Parser(query, tokenize(query), features).whole());
    TRY_UNIT(internal::check_types(query, *expr));
    return expr;
}

Result<VectorSelector> parse_vector_selector(std::string_view text) {
    TRY(ExprPtr expr, internal::Parser(text, tokenize(text), Features::Stable).selector_alone());
    return std::move(*expr->as<VectorSelector>());
}

}  // namespace stoker::promql
