// Selectors with what may follow them: matchers, ranges, subqueries, offset, @.
#include <re2/re2.h>

#include <cmath>
#include <utility>

#include "promql/parser.h"
#include "promql/parser_state.h"

namespace stoker::promql::internal {

namespace {

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
