// The syntax tree as Prometheus' web UI reads it from /api/v1/parse_query. Keys in alphabetical order.
#include <array>

#include "promql/format.h"
#include "promql/functions.h"
#include "promql/parser_state.h"
#include "promql/pretty.h"

namespace stoker::promql {

namespace {

std::string text(std::string_view value) {
    std::string out;
    append_json_string(out, value);
    return out;
}

std::string list(const std::vector<std::string>& values) {
    std::string out = "[";
    for (const std::string& value : values) {
        if (out.size() > 1) out += ',';
        append_json_string(out, value);
    }
    return out + "]";
}

std::string boolean(bool value) {
    return value ? "true" : "false";
}

std::string_view type_name(ValueType type) {
    switch (type) {
        case ValueType::Scalar:
            return "scalar";
        case ValueType::String:
            return "string";
        case ValueType::InstantVector:
            return "vector";
        case ValueType::RangeVector:
            break;
    }
    return "matrix";
}

std::string matchers(const VectorSelector& selector) {
    static constexpr std::array<std::string_view, 4> kTypes = {"=", "!=", "=~", "!~"};
    std::string out = "[";
    for (const tsdb::Matcher& matcher : selector.matchers) {
        if (out.size() > 1) out += ',';
        out += "{\"name\":" + text(matcher.name) + ",\"type\":" + text(kTypes[static_cast<std::size_t>(matcher.op)]) +
               ",\"value\":" + text(matcher.value) + "}";
    }
    return out + "]";
}

std::string start_or_end(const Shift& shift) {
    if (!shift.at || shift.at->kind == AtModifier::Kind::Time) return "null";
    return shift.at->kind == AtModifier::Kind::Start ? "\"start\"" : "\"end\"";
}

std::string timestamp(const Shift& shift) {
    const bool given = shift.at && shift.at->kind == AtModifier::Kind::Time;
    return given ? std::to_string(shift.at->millis) : "null";
}

// What vector and matrix selectors share, around the range of the latter.
std::string selector_json(const VectorSelector& node, std::string_view type, const std::string& range) {
    return "{\"anchored\":" + boolean(node.extension == Extension::Anchored) + ",\"matchers\":" + matchers(node) +
           ",\"name\":" + text(node.name) + ",\"offset\":" + std::to_string(node.shift.offset) + range +
           ",\"smoothed\":" + boolean(node.extension == Extension::Smoothed) +
           ",\"startOrEnd\":" + start_or_end(node.shift) + ",\"timestamp\":" + timestamp(node.shift) +
           ",\"type\":" + text(type) + "}";
}

std::string json(const NumberLiteral& node) {
    return "{\"type\":\"numberLiteral\",\"val\":" + text(format_float(node.value)) + "}";
}
std::string json(const StringLiteral& node) {
    return "{\"type\":\"stringLiteral\",\"val\":" + text(node.value) + "}";
}
std::string json(const VectorSelector& node) {
    return selector_json(node, "vectorSelector", "");
}
std::string json(const MatrixSelector& node) {
    return selector_json(*node.vector->as<VectorSelector>(), "matrixSelector",
                         ",\"range\":" + std::to_string(node.range));
}
std::string json(const Subquery& node) {
    return "{\"expr\":" + tree_json(*node.inner) + ",\"offset\":" + std::to_string(node.shift.offset) +
           ",\"range\":" + std::to_string(node.range) + ",\"startOrEnd\":" + start_or_end(node.shift) +
           ",\"step\":" + std::to_string(node.step) + ",\"timestamp\":" + timestamp(node.shift) +
           ",\"type\":\"subquery\"}";
}
std::string json(const Call& node) {
    std::string args;
    for (const ExprPtr& arg : node.args) {
        if (!args.empty()) args += ',';
        args += tree_json(*arg);
    }
    std::string types;
    for (const ValueType type : node.function->args) {
        if (!types.empty()) types += ',';
        types += text(type_name(type));
    }
    return "{\"args\":[" + args + "],\"func\":{\"argTypes\":[" + types + "],\"name\":" + text(node.function->name) +
           ",\"returnType\":" + text(type_name(node.function->returns)) +
           ",\"variadic\":" + std::to_string(node.function->variadic) + "},\"type\":\"call\"}";
}
std::string json(const Aggregate& node) {
    return "{\"expr\":" + tree_json(*node.inner) + ",\"grouping\":" + list(node.grouping) +
           ",\"op\":" + text(to_string(node.op)) + ",\"param\":" + (node.param ? tree_json(*node.param) : "null") +
           ",\"type\":\"aggregation\",\"without\":" + boolean(node.without) + "}";
}
std::string json(const Binary& node) {
    static constexpr std::array<std::string_view, 4> kCards = {"one-to-one", "many-to-one", "one-to-many",
                                                               "many-to-many"};
    const Matching& match = node.matching;
    const auto fill = [](const std::optional<double>& value) { return value ? text(format_float(*value)) : "null"; };
    std::string matching = "null";
    if (node.left->type == ValueType::InstantVector && node.right->type == ValueType::InstantVector) {
        matching = "{\"card\":" + text(kCards[static_cast<std::size_t>(match.card)]) +
                   ",\"fillValues\":{\"lhs\":" + fill(match.fill_left) + ",\"rhs\":" + fill(match.fill_right) +
                   "},\"include\":" + list(match.include) + ",\"labels\":" + list(match.labels) +
                   ",\"on\":" + boolean(match.on) + "}";
    }
    return "{\"bool\":" + boolean(node.return_bool) + ",\"lhs\":" + tree_json(*node.left) +
           ",\"matching\":" + matching + ",\"op\":" + text(to_string(node.op)) + ",\"rhs\":" + tree_json(*node.right) +
           ",\"type\":\"binaryExpr\"}";
}
std::string json(const Unary& node) {
    return "{\"expr\":" + tree_json(*node.inner) + ",\"op\":" + (node.negative ? "\"-\"" : "\"+\"") +
           ",\"type\":\"unaryExpr\"}";
}
std::string json(const Paren& node) {
    return "{\"expr\":" + tree_json(*node.inner) + ",\"type\":\"parenExpr\"}";
}

}  // namespace

std::string tree_json(const Expr& expr) {
    return std::visit([](const auto& node) { return json(node); }, expr.node);
}

}  // namespace stoker::promql
