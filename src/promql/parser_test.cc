#include "promql/parser.h"

#include <gtest/gtest.h>

#include "promql/engine.h"
#include "promql/functions.h"
#include "promql/lexer.h"

namespace stoker::promql {
namespace {

// The message, or "ok".
std::string outcome(std::string_view query) {
    const auto expr = parse(query);
    return expr ? "ok" : expr.error().message;
}

std::string repeated(std::string_view text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += text;
    return out;
}

TEST(Parser, PlacesCountLines) {
    EXPECT_EQ(outcome("sum(\n  a,\n  b\n"), "4:1: parse error: unclosed left parenthesis");
    EXPECT_EQ(outcome("a +\n  nope(b)"), "2:3: parse error: unknown function with name \"nope\"");
}

TEST(Parser, KeywordsAreNamesWhereTheyCan) {
    for (const char* query :
         {"sum", "by{on=\"x\"}", "offset", "start + end", "sum by (by, bool, inf) (count)", "rate"}) {
        EXPECT_EQ(outcome(query), "ok") << query;
    }
    EXPECT_EQ(outcome("on"), "1:1: parse error: unexpected <on>");
}

TEST(Parser, Precedence) {
    const auto expr = parse("a + b * c ^ d ^ e > f or g and h");
    ASSERT_TRUE(expr.has_value());
    const auto* top = (*expr)->as<Binary>();
    ASSERT_NE(top, nullptr);
    EXPECT_EQ(top->op, BinaryOp::Or);
    EXPECT_EQ(top->right->as<Binary>()->op, BinaryOp::And);
    const auto* comparison = top->left->as<Binary>();
    EXPECT_EQ(comparison->op, BinaryOp::Greater);
    const auto* product = comparison->left->as<Binary>()->right->as<Binary>();
    EXPECT_EQ(product->op, BinaryOp::Mul);
    EXPECT_EQ(product->right->as<Binary>()->right->as<Binary>()->op, BinaryOp::Pow);
}

TEST(Parser, ModifiersLandOnTheSelector) {
    const auto expr = parse("rate(a{x='y'}[5m] offset -1h @ end())");
    ASSERT_TRUE(expr.has_value());
    const auto* matrix = (*expr)->as<Call>()->args[0]->as<MatrixSelector>();
    ASSERT_NE(matrix, nullptr);
    EXPECT_EQ(matrix->range, 300'000);
    const auto* selector = matrix->vector->as<VectorSelector>();
    EXPECT_EQ(selector->shift.offset, -3'600'000);
    EXPECT_EQ(selector->shift.at->kind, AtModifier::Kind::End);
    EXPECT_EQ(selector->matchers.size(), 2U);
}

// Deep nesting is refused and does not take the stack down, whichever way it nests.
TEST(Parser, DepthIsBounded) {
    constexpr std::string_view kTooDeep = "expression is nested too deeply";
    EXPECT_NE(outcome(repeated("(", 100'000) + "a" + repeated(")", 100'000)).find(kTooDeep), std::string::npos);
    EXPECT_NE(outcome(repeated("-", 100'000) + "a").find(kTooDeep), std::string::npos);
    EXPECT_NE(outcome("a" + repeated(" + a", 100'000)).find(kTooDeep), std::string::npos);
    EXPECT_NE(outcome("a" + repeated("^a", 100'000)).find(kTooDeep), std::string::npos);
    EXPECT_NE(outcome("a" + repeated("[5m:1m]", 100'000)).find(kTooDeep), std::string::npos);
    EXPECT_EQ(outcome("a" + repeated(" + a", 300)), "ok");
}

TEST(Parser, SelectorsAlone) {
    EXPECT_EQ(parse_selector("up{job=\"a\"}")->size(), 2U);
    EXPECT_EQ(parse_selector("sum")->size(), 1U);
    const auto error = [](std::string_view text) { return parse_selector(text).error().message; };
    EXPECT_EQ(error("up offset 5m"), "1:4: parse error: unexpected <offset>");
    EXPECT_EQ(error("sum(up)"), "1:4: parse error: unexpected \"(\"");
    EXPECT_EQ(error("x("), "1:2: parse error: unexpected \"(\"");
    EXPECT_EQ(error("up[5m]"), "1:3: parse error: unexpected \"[\"");
    EXPECT_EQ(error(""), "1:1: parse error: unexpected end of input");
    EXPECT_EQ(error("1"), "1:1: parse error: unexpected number \"1\"");
}

TEST(Lexer, Numbers) {
    const auto value = [](std::string_view text) {
        double number = -1;
        return read_number(text, number) ? std::to_string(number) : "none";
    };
    EXPECT_EQ(value("0x1f"), "31.000000");
    EXPECT_EQ(value("017"), "15.000000");
    EXPECT_EQ(value("09"), "9.000000");
    EXPECT_EQ(value("-1.5e-1"), "-0.150000");
    EXPECT_EQ(value("+Inf"), "inf");
    EXPECT_EQ(value("1e999"), "inf");
    EXPECT_EQ(value("1e-999"), "0.000000");
    EXPECT_EQ(value("1x"), "none");
    EXPECT_EQ(value("infx"), "none");
    EXPECT_EQ(value(""), "none");
}

TEST(Lexer, Durations) {
    const auto millis = [](std::string_view text) {
        std::int64_t value = -1;
        return read_duration(text, value) ? value : -1;
    };
    EXPECT_EQ(millis("1h30m"), 5'400'000);
    EXPECT_EQ(millis("1y2w3d4h5m6s7ms"), 33'019'506'007);
    EXPECT_EQ(millis("1m1h"), -1);
    EXPECT_EQ(millis("1m1m"), -1);
    EXPECT_EQ(millis("1.5m"), -1);
    EXPECT_EQ(millis("-1m"), -1);
    EXPECT_EQ(millis("293y"), -1);  // More nanoseconds than 64 bits hold.
    EXPECT_EQ(millis(""), -1);
}

TEST(Functions, TableIsInOrderAndComplete) {
    const auto& all = all_functions();
    for (std::size_t i = 1; i < all.size(); ++i) EXPECT_LT(all[i - 1].name, all[i].name);
    EXPECT_NE(find_function("rate"), nullptr);
    EXPECT_EQ(find_function("RATE"), nullptr);
}

}  // namespace
}  // namespace stoker::promql
