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
    }
    if (peek().kind == TokenKind::LeftBrace) TRY_UNIT(matchers(node, first.begin));
    if (!node.name.empty()) {
        node.matchers.push_back({std::string(tsdb::kMetricName), tsdb::Matcher::Op::Equal, node.name});
    }
    if (!label_selectors_only_ && std::all_of(node.matchers.begin(), node.matchers.end(), matches_empty)) {
        return fail(first, "vector selector must contain at least one non-empty matcher");
    }
    return make_expr(std::move(node), first.begin, last_end());
}

Result<ExprPtr> Parser::selector_alone() {
    const Token& first = peek();
    const bool named = first.kind == TokenKind::Word && is_metric_name(first.text);
    if (!named && first.kind != TokenKind::LeftBrace) return unexpected(first);
    TRY(ExprPtr expr, selector());
    if (peek().kind != TokenKind::End) return unexpected(peek());
    return expr;
}

// {a="b", c=~"d"} and {"a metric's name", "a label's name"="b"}.
Result<Unit> Parser::matchers(VectorSelector& selector, std::size_t begin) {
    take();
    while (peek().kind != TokenKind::RightBrace) {
        const Token name = peek();
        if (name.kind != TokenKind::Word && name.kind != TokenKind::String) {
            return unexpected(name, "label matching", "identifier or \"}\"");
        }
        take();
        const bool alone = peek().kind == TokenKind::Comma || peek().kind == TokenKind::RightBrace;
        const bool metric = name.kind == TokenKind::String && alone;
        tsdb::Matcher next{std::string(tsdb::kMetricName), tsdb::Matcher::Op::Equal, name.text};
        if (!metric) {
            TRY(next, matcher(name));
        }
        if (next.name == tsdb::kMetricName && !selector.name.empty()) {
            return parse_error(
                query_, begin,
                "metric name must not be set twice: " + quote(selector.name) + " or " + quote(next.value));
        }
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
    const Token op = peek();
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
    take();
    const Token value = peek();
    if (value.kind != TokenKind::String) return unexpected(value, "label matching", "string");
    take();
    result.value = value.text;
    if (op.kind == TokenKind::RegexMatch || op.kind == TokenKind::RegexNotMatch) {
        const re2::RE2 compiled(result.value, re2::RE2::Quiet);
        if (!compiled.ok()) return fail(name, "error parsing regexp: " + compiled.error());
    }
    return result;
}

Result<ExprPtr> Parser::range(ExprPtr inner) {
    const Token open = take();
    DurationPtr range_expr;
    TRY(const std::int64_t length,
        positive_duration("subquery or range selector", "number, duration, step(), or range()", range_expr));
    const std::size_t begin = inner->begin;
    const int depth = inner->depth + 1;
    if (peek().kind == TokenKind::Colon) {
        take();
        std::int64_t step = 0;
        DurationPtr step_expr;
        if (peek().kind != TokenKind::RightBracket) {
            TRY(step, positive_duration("subquery selector", "number, duration, step(), range(), or \"]\"", step_expr));
        }
        TRY_UNIT(expect(TokenKind::RightBracket, "subquery selector", "\"]\""));
        return make_expr(Subquery{std::move(inner), length, step, {}, std::move(range_expr), std::move(step_expr)},
                         begin, last_end(), depth);
    }
    TRY_UNIT(expect(TokenKind::RightBracket, "subquery or range", "\":\" or \"]\""));
    const auto* selector = inner->as<VectorSelector>();
    if (selector == nullptr) return fail(open, "ranges only allowed for vector selectors");
    if (selector->shift.has_offset) return fail(open, "no offset modifiers allowed before range");
    if (selector->shift.at) return fail(open, "no @ modifiers allowed before range");
    return make_expr(MatrixSelector{std::move(inner), length, std::move(range_expr)}, begin, last_end(), depth);
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
    TRY(shift->offset, offset_duration(shift->offset_expr));
    shift->has_offset = true;
    return Unit{};
}

// anchored, smoothed.
Result<Unit> Parser::extension(Expr& expr) {
    const Token word = take();
    const bool anchored = is_word(word, "anchored");
    const std::string name = anchored ? "anchored" : "smoothed";
    const auto refuse = [&](const std::string& message) { return parse_error(query_, expr.begin, message); };
    if (features_ != Features::Experimental) return refuse(name + " modifier is experimental and not enabled");
    if (expr.as<Subquery>()) return refuse(name + " modifier is not supported for subqueries");
    auto* selector = expr.as<VectorSelector>();
    if (auto* matrix = expr.as<MatrixSelector>()) selector = matrix->vector->as<VectorSelector>();
    if (selector == nullptr) return refuse(name + " modifier not implemented");
    const Extension wanted = anchored ? Extension::Anchored : Extension::Smoothed;
    if (selector->extension != Extension::None && selector->extension != wanted) {
        return refuse("anchored and smoothed modifiers cannot be used together");
    }
    selector->extension = wanted;
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
    const Context within(*this, "@", "timestamp");
    if (is_word(peek(), "start") || is_word(peek(), "end")) {
        const auto kind = is_word(take(), "start") ? AtModifier::Kind::Start : AtModifier::Kind::End;
        TRY_UNIT(expect(TokenKind::LeftParen, "", ""));
        TRY_UNIT(expect(TokenKind::RightParen, "", ""));
        shift->at = AtModifier{kind, 0};
        return Unit{};
    }
    const bool negative = peek().kind == TokenKind::Minus;
    if (negative || peek().kind == TokenKind::Plus) take();
    const Token time = peek();
    if (time.kind != TokenKind::Number && time.kind != TokenKind::Duration) return unexpected(time);
    take();
    const double seconds = negative ? -time.number : time.number;
    const double millis = std::round(seconds * 1000);
    if (!(std::abs(millis) < 9e15)) {
        const std::string text = std::isfinite(seconds) ? std::to_string(seconds) : format_float(seconds);
        return parse_error(query_, expr.begin, "timestamp out of bounds for @ modifier: " + text);
    }
    shift->at = AtModifier{AtModifier::Kind::Time, static_cast<std::int64_t>(millis)};
    return Unit{};
}

}  // namespace stoker::promql::internal
