// The parser's state and productions, spread over parser.cc (operators), parser_primary.cc (operands) and
// parser_selector.cc.
#pragma once

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "promql/ast.h"
#include "promql/format.h"
#include "promql/lexer.h"
#include "promql/parser.h"
#include "promql/token.h"

namespace stoker::promql {

std::string_view to_string(BinaryOp op);       // "+", "and"
std::string_view to_string(Aggregate::Op op);  // "sum"

namespace internal {

// Whether the token is this keyword, in any case.
bool is_word(const Token& token, std::string_view keyword);

// A node with its place in the query; `depth` counts itself and what is below.
template <typename Node>
ExprPtr make_expr(Node node, std::size_t begin, std::size_t end, int depth = 1) {
    auto expr = std::make_unique<Expr>();
    expr->node = std::move(node);
    expr->begin = begin;
    expr->end = end;
    expr->depth = depth;
    return expr;
}

class Parser {
public:
    Parser(std::string_view query, std::vector<Token> tokens, Features features)
        : query_(query), tokens_(std::move(tokens)), features_(features) {}

    Result<ExprPtr> whole();
    Result<ExprPtr> selector_alone();  // A series selector without modifiers, and nothing after it.

private:
    // Counts the productions that are open, since each holds a frame of the stack.
    class Nesting {
    public:
        explicit Nesting(Parser& parser) : parser_(parser) { ++parser_.nesting_; }
        ~Nesting() { --parser_.nesting_; }
        Nesting(const Nesting&) = delete;
        Nesting& operator=(const Nesting&) = delete;

    private:
        Parser& parser_;
    };
    bool too_deep() const { return nesting_ > 200; }

    // What the parser is in the middle of: errors that say nothing better say that.
    class Context {
    public:
        Context(Parser& parser, std::string_view context, std::string_view expected) : parser_(parser) {
            parser_.contexts_.emplace_back(context, expected);
        }
        ~Context() { parser_.contexts_.pop_back(); }
        Context(const Context&) = delete;
        Context& operator=(const Context&) = delete;

    private:
        Parser& parser_;
    };

    const Token& peek(std::size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
    Token take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
    std::size_t last_end() const { return at_ == 0 ? 0 : tokens_[at_ - 1].end; }

    // Where the lexer failed, its error is the one to report.
    Error fail(const Token& token, std::string_view message) const {
        return parse_error(query_, token.begin, token.kind == TokenKind::Error ? token.text : message);
    }
    Error unexpected(const Token& token, std::string_view context = "", std::string_view expected = "") const;
    Result<Unit> expect(TokenKind kind, std::string_view context, std::string_view expected);

    Result<ExprPtr> expression(int min_precedence);
    Result<ExprPtr> unary();
    Result<Unit> modifiers(Binary& binary, std::size_t begin);
    Result<Unit> grouping(Binary& binary, std::size_t begin);
    Result<std::vector<std::string>> label_list();

    Result<ExprPtr> postfix();
    Result<ExprPtr> primary();
    Result<ExprPtr> parenthesised();
    Result<ExprPtr> aggregate();
    Result<ExprPtr> call();
    // `selector_at`: the argument that is a bare set of matchers, which may match anything.
    Result<std::vector<ExprPtr>> arguments(std::size_t selector_at = static_cast<std::size_t>(-1));
    Result<ExprPtr> selector();
    Result<Unit> matchers(VectorSelector& selector, std::size_t begin);
    Result<tsdb::Matcher> matcher(const Token& name);
    Result<ExprPtr> range(ExprPtr inner);
    Result<Unit> offset(Expr& expr);
    Result<Unit> at(Expr& expr);
    Result<Unit> extension(Expr& expr);
    Result<Unit> fill(Matching& matching);
    Result<double> fill_value();

    // parser_duration.cc
    Result<DurationPtr> computed(DurationPtr duration) const;
    Result<DurationPtr> duration_literal();
    Result<DurationPtr> signed_duration(const Token& sign, DurationPtr operand) const;
    Result<DurationPtr> duration_operand();
    Result<DurationPtr> duration_expression(int min_precedence);
    Result<std::int64_t> positive_duration(std::string_view context, std::string_view expected,
                                           DurationPtr& computed_from);
    Result<std::int64_t> offset_duration(DurationPtr& computed_from);

    std::string_view query_;
    std::vector<Token> tokens_;
    Features features_;
    std::size_t at_ = 0;
    int nesting_ = 0;
    bool label_selectors_only_ = false;  // In the second argument of info().
    std::vector<std::pair<std::string_view, std::string_view>> contexts_;
};

}  // namespace internal
}  // namespace stoker::promql
