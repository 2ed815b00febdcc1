// Operands: literals, parentheses, calls, aggregations. Selectors are in parser_selector.cc.
#include <utility>

#include "promql/functions.h"
#include "promql/parser.h"
#include "promql/parser_state.h"

namespace stoker::promql::internal {

namespace {

std::optional<Aggregate::Op> aggregate_of(const Token& token) {
    for (int i = 0; i <= static_cast<int>(Aggregate::Op::LimitRatio); ++i) {
        const auto op = static_cast<Aggregate::Op>(i);
        if (is_word(token, to_string(op))) return op;
    }
    return std::nullopt;
}

bool takes_param(Aggregate::Op op) {
    return op >= Aggregate::Op::Topk;
}

}  // namespace

// A primary with what may follow it: [5m], [5m:1m], offset, @.
Result<ExprPtr> Parser::postfix() {
    TRY(ExprPtr expr, primary());
    while (true) {
        if (peek().kind == TokenKind::LeftBracket) {
            TRY(expr, range(std::move(expr)));
        } else if (is_word(peek(), "offset")) {
            TRY_UNIT(offset(*expr));
        } else if (peek().kind == TokenKind::At) {
            TRY_UNIT(at(*expr));
        } else if (is_word(peek(), "anchored") || is_word(peek(), "smoothed")) {
            TRY_UNIT(extension(*expr));
        } else {
            return expr;
        }
        expr->end = last_end();
        if (expr->depth > kMaxDepth) return fail(peek(), "expression is nested too deeply");
    }
}

Result<ExprPtr> Parser::primary() {
    const Token& token = peek();
    switch (token.kind) {
        case TokenKind::Number:
        case TokenKind::Duration: {
            const Token number = take();
            return make_expr(NumberLiteral{number.number, number.kind == TokenKind::Duration}, number.begin,
                             number.end);
        }
        case TokenKind::String: {
            Token text = take();
            return make_expr(StringLiteral{std::move(text.text)}, text.begin, text.end);
        }
        case TokenKind::LeftParen:
            return parenthesised();
        case TokenKind::LeftBrace:
            return selector();
        case TokenKind::Word:
            break;
        default:
            return unexpected(token);
    }
    if (aggregate_of(token) &&
        (peek(1).kind == TokenKind::LeftParen || is_word(peek(1), "by") || is_word(peek(1), "without"))) {
        return aggregate();
    }
    if (peek(1).kind == TokenKind::LeftParen && is_function_name(token.text)) return call();
    if (!is_metric_name(token.text)) return unexpected(token);
    return selector();
}

Result<ExprPtr> Parser::parenthesised() {
    const Token open = take();
    TRY(ExprPtr inner, expression(0));
    TRY_UNIT(expect(TokenKind::RightParen, "", ""));
    const int depth = inner->depth + 1;
    return make_expr(Paren{std::move(inner)}, open.begin, last_end(), depth);
}

Result<std::vector<ExprPtr>> Parser::arguments(std::size_t selector_at) {
    TRY_UNIT(expect(TokenKind::LeftParen, "", ""));
    std::vector<ExprPtr> args;
    while (peek().kind != TokenKind::RightParen) {
        label_selectors_only_ = args.size() == selector_at;
        TRY(ExprPtr arg, expression(0));
        label_selectors_only_ = false;
        args.push_back(std::move(arg));
        if (peek().kind == TokenKind::RightParen) break;
        const Token comma = peek();
        TRY_UNIT(expect(TokenKind::Comma, "", ""));
        if (peek().kind == TokenKind::RightParen) {
            return fail(comma, "trailing commas not allowed in function call args");
        }
    }
    take();
    return args;
}

Result<ExprPtr> Parser::call() {
    const Token name = take();
    const Function* function = find_function(name.text);
    if (function == nullptr) return fail(name, "unknown function with name " + quote(name.text));
    if (function->experimental() && features_ != Features::Experimental) {
        return fail(name, "function " + quote(name.text) + " is not enabled");
    }
    const bool info = function->name == "info";
    TRY(std::vector<ExprPtr> args, info ? arguments(1) : arguments());
    int depth = 1;
    for (const ExprPtr& arg : args) depth = std::max(depth, arg->depth + 1);
    return make_expr(Call{function, std::move(args)}, name.begin, last_end(), depth);
}

Result<ExprPtr> Parser::aggregate() {
    const Token name = take();
    const Context within(*this, "aggregation", "");
    Aggregate node;
    node.op = *aggregate_of(name);
    bool grouped = false;
    const auto clause = [&]() -> Result<Unit> {
        if (!is_word(peek(), "by") && !is_word(peek(), "without")) return Unit{};
        node.without = is_word(take(), "without");
        grouped = true;
        TRY(node.grouping, label_list());
        return Unit{};
    };
    TRY_UNIT(clause());
    TRY(std::vector<ExprPtr> args, arguments());
    if (!grouped) TRY_UNIT(clause());
    const std::size_t wanted = takes_param(node.op) ? 2 : 1;
    if (args.empty()) return fail(name, "no arguments for aggregate expression provided");
    const bool experimental = node.op == Aggregate::Op::Limitk || node.op == Aggregate::Op::LimitRatio;
    if (experimental && features_ != Features::Experimental) {
        return fail(name, std::string(to_string(node.op)) +
                              "() is experimental and must be enabled with "
                              "--enable-feature=promql-experimental-functions");
    }
    if (args.size() != wanted) {
        return fail(name, "wrong number of arguments for aggregate expression provided, expected " +
                              std::to_string(wanted) + ", got " + std::to_string(args.size()));
    }
    int depth = 1;
    for (const ExprPtr& arg : args) depth = std::max(depth, arg->depth + 1);
    if (wanted == 2) node.param = std::move(args[0]);
    node.inner = std::move(args.back());
    return make_expr(std::move(node), name.begin, last_end(), depth);
}

}  // namespace stoker::promql::internal
