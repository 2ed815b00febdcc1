// Operands: literals, selectors with their modifiers, calls, aggregations.
#include <re2/re2.h>

#include <cmath>
#include <utility>

#include "promql/functions.h"
#include "promql/parser.h"
#include "promql/parser_state.h"

namespace stoker::promql::internal {

namespace {

std::optional<Aggregate::Op> aggregate_of(const Token& token) {
    for (int i = 0; i <= static_cast<int>(Aggregate::Op::Limitk); ++i) {
        const auto op = static_cast<Aggregate::Op>(i);
        if (is_word(token, to_string(op))) return op;
    }
    return std::nullopt;
}

bool takes_param(Aggregate::Op op) {
    return op >= Aggregate::Op::Topk;
}

template <typename Node>
ExprPtr make_expr(Node node, std::size_t begin, std::size_t end, int depth = 1) {
    auto expr = std::make_unique<Expr>();
    expr->node = std::move(node);
    expr->begin = begin;
    expr->end = end;
    expr->depth = depth;
    return expr;
}

Shift* shift_of(Expr& expr) {
    if (auto* vector = expr.as<VectorSelector>()) return &vector->shift;
    if (auto* matrix = expr.as<MatrixSelector>()) return &matrix->vector->as<VectorSelector>()->shift;
    if (auto* subquery = expr.as<Subquery>()) return &subquery->shift;
    return nullptr;
}

bool matches_empty(const tsdb::Matcher& matcher) {
    switch (matcher.op) {
        case tsdb::Matcher::Op::Equal:
            return matcher.value.empty();
        case tsdb::Matcher::Op::NotEqual:
            return !matcher.value.empty();
        default:
            return re2::RE2::FullMatch("", re2::RE2(matcher.value, re2::RE2::Quiet)) ==
                   (matcher.op == tsdb::Matcher::Op::Regex);
    }
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
            return make_expr(NumberLiteral{number.number}, number.begin, number.end);
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
    if (peek(1).kind == TokenKind::LeftParen && !is_keyword(token.text)) return call();
    if (is_word(token, "bool") || is_word(token, "on") || is_word(token, "ignoring") || is_word(token, "group_left") ||
        is_word(token, "group_right")) {
        return unexpected(token);
    }
    return selector();
}

Result<ExprPtr> Parser::parenthesised() {
    const Token open = take();
    TRY(ExprPtr inner, expression(0));
    TRY_UNIT(expect(TokenKind::RightParen, "", ""));
    const int depth = inner->depth + 1;
    return make_expr(Paren{std::move(inner)}, open.begin, last_end(), depth);
}

Result<std::vector<ExprPtr>> Parser::arguments() {
    TRY_UNIT(expect(TokenKind::LeftParen, "", ""));
    std::vector<ExprPtr> args;
    while (peek().kind != TokenKind::RightParen) {
        TRY(ExprPtr arg, expression(0));
        args.push_back(std::move(arg));
        if (peek().kind == TokenKind::RightParen) break;
        TRY_UNIT(expect(TokenKind::Comma, "", ""));
        if (peek().kind == TokenKind::RightParen)
            return fail(peek(), "trailing commas not allowed in function call args");
    }
    take();
    return args;
}

Result<ExprPtr> Parser::call() {
    const Token name = take();
    const Function* function = find_function(name.text);
    if (function == nullptr) return fail(name, "unknown function with name " + quote(name.text));
    TRY(std::vector<ExprPtr> args, arguments());
    int depth = 1;
    for (const ExprPtr& arg : args) depth = std::max(depth, arg->depth + 1);
    return make_expr(Call{function, std::move(args)}, name.begin, last_end(), depth);
}

Result<ExprPtr> Parser::aggregate() {
    const Token name = take();
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

Result<ExprPtr> Parser::selector() {
    const Token first = peek();
    VectorSelector node;
    if (first.kind == TokenKind::Word) {
        take();
        node.name = first.text;
        node.matchers.push_back({std::string(tsdb::kMetricName), tsdb::Matcher::Op::Equal, node.name});
    }
    if (peek().kind == TokenKind::LeftBrace) TRY_UNIT(matchers(node, first.begin));
    if (std::all_of(node.matchers.begin(), node.matchers.end(), matches_empty)) {
        return fail(first, "vector selector must contain at least one non-empty matcher");
    }
    return make_expr(std::move(node), first.begin, last_end());
}

// {a="b", c=~"d"} and {"a metric's name", "a label's name"="b"}.
Result<Unit> Parser::matchers(VectorSelector& selector, std::size_t begin) {
    take();
    while (peek().kind != TokenKind::RightBrace) {
        const Token name = take();
        if (name.kind != TokenKind::Word && name.kind != TokenKind::String) {
            return unexpected(name, "label matching", "identifier or \"}\"");
        }
        const bool alone = peek().kind == TokenKind::Comma || peek().kind == TokenKind::RightBrace;
        const bool metric = name.kind == TokenKind::String && alone;
        tsdb::Matcher next{std::string(tsdb::kMetricName), tsdb::Matcher::Op::Equal, name.text};
        if (!metric) {
            TRY(next, matcher(name));
        }
        const bool names_metric = next.name == tsdb::kMetricName && next.op <= tsdb::Matcher::Op::NotEqual;
        if (names_metric && !selector.name.empty()) {
            return parse_error(
                query_, begin,
                "metric name must not be set twice: " + quote(selector.name) + " or " + quote(next.value));
        }
        if (metric) selector.name = name.text;
        selector.matchers.push_back(std::move(next));
        if (peek().kind == TokenKind::Comma) {
            take();
        } else if (peek().kind != TokenKind::RightBrace) {
            return unexpected(peek(), "label matching", "\",\" or \"}\"");
        }
    }
    take();
    return Unit{};
}

// The operator and the value behind a label's name.
Result<tsdb::Matcher> Parser::matcher(const Token& name) {
    const Token op = take();
    tsdb::Matcher result{name.text, tsdb::Matcher::Op::Equal, ""};
    switch (op.kind) {
        case TokenKind::Assign:
            break;
        case TokenKind::NotEqual:
            result.op = tsdb::Matcher::Op::NotEqual;
            break;
        case TokenKind::RegexMatch:
            result.op = tsdb::Matcher::Op::Regex;
            break;
        case TokenKind::RegexNotMatch:
            result.op = tsdb::Matcher::Op::NotRegex;
            break;
        default:
            return unexpected(op, "label matching", "label matching operator");
    }
    const Token value = take();
    if (value.kind != TokenKind::String) return unexpected(value, "label matching", "string");
    result.value = value.text;
    if (op.kind == TokenKind::RegexMatch || op.kind == TokenKind::RegexNotMatch) {
        const re2::RE2 compiled(result.value, re2::RE2::Quiet);
        if (!compiled.ok()) return fail(name, "error parsing regexp: " + compiled.error());
    }
    return result;
}

// A length of time: a duration, or a number of seconds.
Result<std::int64_t> Parser::duration(std::string_view context, bool allow_zero) {
    const Token token = take();
    if (token.kind != TokenKind::Number && token.kind != TokenKind::Duration) {
        return unexpected(token, context, "number or duration");
    }
    const double millis = std::round(token.number * 1000);
    if (!(millis >= 0 && millis < 9.2e12)) return fail(token, "duration out of range");
    if (millis == 0 && !allow_zero) return fail(token, "duration must be greater than 0");
    return static_cast<std::int64_t>(millis);
}

Result<ExprPtr> Parser::range(ExprPtr inner) {
    const Token open = take();
    TRY(const std::int64_t length, duration("range or subquery selector", false));
    const std::size_t begin = inner->begin;
    const int depth = inner->depth + 1;
    if (peek().kind == TokenKind::Colon) {
        take();
        std::int64_t step = 0;
        if (peek().kind != TokenKind::RightBracket) {
            TRY(step, duration("subquery selector", false));
        }
        TRY_UNIT(expect(TokenKind::RightBracket, "subquery selector", "\"]\""));
        return make_expr(Subquery{std::move(inner), length, step, {}}, begin, last_end(), depth);
    }
    TRY_UNIT(expect(TokenKind::RightBracket, "subquery or range selector", "\":\" or \"]\""));
    const auto* selector = inner->as<VectorSelector>();
    if (selector == nullptr) return fail(open, "ranges only allowed for vector selectors");
    if (selector->shift.has_offset) return fail(open, "no offset modifiers allowed before range");
    if (selector->shift.at) return fail(open, "no @ modifiers allowed before range");
    return make_expr(MatrixSelector{std::move(inner), length}, begin, last_end(), depth);
}

Result<Unit> Parser::offset(Expr& expr) {
    take();
    Shift* shift = shift_of(expr);
    if (shift == nullptr) {
        return parse_error(query_, expr.begin,
                           "offset modifier must be preceded by an instant vector selector or range vector selector or "
                           "a subquery");
    }
    if (shift->has_offset) return parse_error(query_, expr.begin, "offset may not be set multiple times");
    const bool negative = peek().kind == TokenKind::Minus;
    if (negative || peek().kind == TokenKind::Plus) take();
    TRY(const std::int64_t length, duration("offset", true));
    shift->offset = negative ? -length : length;
    shift->has_offset = true;
    return Unit{};
}

Result<Unit> Parser::at(Expr& expr) {
    take();
    Shift* shift = shift_of(expr);
    if (shift == nullptr) {
        return parse_error(query_, expr.begin,
                           "@ modifier must be preceded by an instant vector selector or range vector selector or a "
                           "subquery");
    }
    if (shift->at) return parse_error(query_, expr.begin, "@ <timestamp> may not be set multiple times");
    if (is_word(peek(), "start") || is_word(peek(), "end")) {
        const auto kind = is_word(take(), "start") ? AtModifier::Kind::Start : AtModifier::Kind::End;
        TRY_UNIT(expect(TokenKind::LeftParen, "@", "\"(\""));
        TRY_UNIT(expect(TokenKind::RightParen, "@", "\")\""));
        shift->at = AtModifier{kind, 0};
        return Unit{};
    }
    const bool negative = peek().kind == TokenKind::Minus;
    if (negative || peek().kind == TokenKind::Plus) take();
    const Token time = take();
    if (time.kind != TokenKind::Number) return unexpected(time, "@", "timestamp");
    const double millis = std::round((negative ? -time.number : time.number) * 1000);
    if (!(std::abs(millis) < 9e15)) {
        return fail(time, "timestamp out of bounds for @ modifier: " + format_float(time.number));
    }
    shift->at = AtModifier{AtModifier::Kind::Time, static_cast<std::int64_t>(millis)};
    return Unit{};
}

}  // namespace stoker::promql::internal
