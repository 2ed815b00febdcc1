// The syntax tree of a query. A plain value: built by the parser, checked once, then only read.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tsdb/querier.h"

namespace stoker::promql {

struct Function;  // functions.h
struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

enum class ValueType : std::uint8_t { Scalar, String, InstantVector, RangeVector };
std::string_view to_string(ValueType type);  // As error messages say it: "instant vector".

// `@ 1609746000`, `@ start()`, `@ end()`.
struct AtModifier {
    enum class Kind : std::uint8_t { Time, Start, End };
    Kind kind = Kind::Time;
    std::int64_t millis = 0;
};

// A duration that is computed from the query's step and range (durations.h). Shared since it never changes.
struct DurationExpr;
using DurationPtr = std::shared_ptr<const DurationExpr>;
struct DurationExpr {
    enum class Op : std::uint8_t { Number, Add, Sub, Mul, Div, Mod, Pow, Plus, Minus, Step, Range, Min, Max };
    Op op = Op::Number;
    double seconds = 0;                // Of a Number.
    bool written_as_duration = false;  // "5m" rather than "300".
    bool parenthesised = false;
    DurationPtr left;  // Null of Number, Step, Range and of the signs Plus and Minus.
    DurationPtr right;
    std::size_t begin = 0;  // Byte offsets into the query.
    std::size_t end = 0;
};

// What shifts the time at which a selector or subquery is read.
struct Shift {
    std::int64_t offset = 0;  // Milliseconds into the past.
    bool has_offset = false;
    DurationPtr offset_expr = {};  // Not null: what `offset` is computed from.
    std::optional<AtModifier> at;
};

struct NumberLiteral {
    double value = 0;
    bool duration = false;  // Written as one: "5m" rather than "300".
};

struct StringLiteral {
    std::string value;
};

// Whether a range reaches beyond its ends: to the sample before it, or by interpolation to its very ends.
enum class Extension : std::uint8_t { None, Anchored, Smoothed };

struct VectorSelector {
    std::string name;  // As written in front of the braces or quoted within; also among the matchers.
    std::vector<tsdb::Matcher> matchers;
    Shift shift;
    Extension extension = Extension::None;
};

struct MatrixSelector {
    ExprPtr vector;  // Always a VectorSelector, which carries the shift.
    std::int64_t range = 0;
    DurationPtr range_expr = {};  // Not null: what `range` is computed from.
};

struct Subquery {
    ExprPtr inner;
    std::int64_t range = 0;
    std::int64_t step = 0;  // 0: the engine's default.
    Shift shift;
    DurationPtr range_expr = {};
    DurationPtr step_expr = {};
};

struct Call {
    const Function* function = nullptr;
    std::vector<ExprPtr> args;
};

struct Aggregate {
    enum class Op : std::uint8_t {
        Sum,
        Avg,
        Count,
        Min,
        Max,
        Group,
        Stddev,
        Stdvar,
        Topk,
        Bottomk,
        Quantile,
        CountValues,
        Limitk,
        LimitRatio
    };
    Op op = Op::Sum;
    ExprPtr inner;
    ExprPtr param;  // topk, bottomk, limitk, limit_ratio, quantile, count_values; null otherwise.
    bool without = false;
    std::vector<std::string> grouping;
};

enum class BinaryOp : std::uint8_t {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
    Atan2,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    TrimUpper,  // </ keeps the observations below a value,
    TrimLower,  // >/ those above.
    And,
    Or,
    Unless
};
inline bool is_arithmetic(BinaryOp op) {
    return op <= BinaryOp::Atan2;
}
inline bool is_comparison(BinaryOp op) {
    return op >= BinaryOp::Equal && op <= BinaryOp::GreaterEqual;
}
inline bool is_set_operator(BinaryOp op) {
    return op >= BinaryOp::And;
}

// How the elements of two vectors find each other.
struct Matching {
    enum class Card : std::uint8_t { OneToOne, ManyToOne, OneToMany, ManyToMany };
    Card card = Card::OneToOne;
    bool on = false;  // `labels` are those of on(); otherwise of ignoring().
    bool given = false;
    std::vector<std::string> labels;
    std::vector<std::string> include;  // Of group_left() and group_right().
    std::optional<double> fill_left;   // Stands for elements that only the other side has.
    std::optional<double> fill_right;
};

struct Binary {
    BinaryOp op = BinaryOp::Add;
    ExprPtr left;
    ExprPtr right;
    bool return_bool = false;
    Matching matching;
    std::size_t op_begin = 0;  // Byte offset of the operator.
};

struct Unary {
    bool negative = false;
    ExprPtr inner;
};

struct Paren {
    ExprPtr inner;
};

struct Expr {
    using Node = std::variant<NumberLiteral, StringLiteral, VectorSelector, MatrixSelector, Subquery, Call, Aggregate,
                              Binary, Unary, Paren>;
    Node node;
    std::size_t begin = 0;  // Byte offsets into the query.
    std::size_t end = 0;
    int depth = 1;  // Of the tree below, itself included.
    ValueType type = ValueType::Scalar;

    template <typename T>
    const T* as() const {
        return std::get_if<T>(&node);
    }
    template <typename T>
    T* as() {
        return std::get_if<T>(&node);
    }
};

// The expression inside any parentheses.
const Expr& unwrap(const Expr& expr);

}  // namespace stoker::promql
