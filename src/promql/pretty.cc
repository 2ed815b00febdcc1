#include "promql/pretty.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "promql/format.h"
#include "promql/functions.h"
#include "promql/parser_state.h"

namespace stoker::promql {

namespace {

constexpr std::size_t kLongestLine = 100;

bool is_bare_name(std::string_view name) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    const auto fits = [&](char c) { return letter(c) || (c >= '0' && c <= '9'); };
    return !name.empty() && letter(name[0]) && std::all_of(name.begin(), name.end(), fits);
}

// Metric names may hold colons too.
bool is_bare_metric(std::string_view name) {
    std::string plain(name);
    std::replace(plain.begin(), plain.end(), ':', '_');
    return is_bare_name(plain);
}

std::string join_labels(const std::vector<std::string>& names) {
    std::string out;
    for (const std::string& name : names) {
        if (&name != &names.front()) out += ", ";
        out += is_bare_name(name) ? name : quote(name);
    }
    return out;
}

std::string_view operator_text(tsdb::Matcher::Op op) {
    static constexpr std::array<std::string_view, 4> kNames = {"=", "!=", "=~", "!~"};
    return kNames[static_cast<std::size_t>(op)];
}

std::string matchers_text(const VectorSelector& selector) {
    const bool bare = is_bare_metric(selector.name);
    std::vector<std::string> parts;
    for (const tsdb::Matcher& matcher : selector.matchers) {
        const bool is_name = matcher.name == tsdb::kMetricName && matcher.op == tsdb::Matcher::Op::Equal &&
                             matcher.value == selector.name && !matcher.value.empty();
        if (is_name && bare) continue;
        std::string part = is_name                      ? quote(matcher.value)
                           : is_bare_name(matcher.name) ? matcher.name
                                                        : quote(matcher.name);
        if (!is_name) part += std::string(operator_text(matcher.op)) + quote(matcher.value);
        parts.push_back(std::move(part));
    }
    std::sort(parts.begin(), parts.end());
    std::string out = bare ? selector.name : "";
    if (parts.empty() && !out.empty()) return out;
    out += '{';
    for (const std::string& part : parts) {
        if (&part != &parts.front()) out += ',';
        out += part;
    }
    return out + "}";
}

std::string at_text(const Shift& shift) {
    if (!shift.at) return "";
    switch (shift.at->kind) {
        case AtModifier::Kind::Start:
            return " @ start()";
        case AtModifier::Kind::End:
            return " @ end()";
        case AtModifier::Kind::Time:
            break;
    }
    const std::int64_t millis = shift.at->millis;
    const std::uint64_t size = millis < 0 ? 0 - static_cast<std::uint64_t>(millis) : static_cast<std::uint64_t>(millis);
    std::string fraction = std::to_string(size % 1000);
    fraction.insert(0, 3 - fraction.size(), '0');
    return std::string(" @ ") + (millis < 0 ? "-" : "") + std::to_string(size / 1000) + "." + fraction;
}

std::string offset_text(const Shift& shift) {
    if (shift.offset_expr) return " offset " + to_text(*shift.offset_expr);
    if (shift.offset > 0) return " offset " + duration_text(shift.offset);
    if (shift.offset < 0) return " offset -" + duration_text(-shift.offset);
    return "";
}

std::string_view extension_text(Extension extension) {
    switch (extension) {
        case Extension::Anchored:
            return " anchored";
        case Extension::Smoothed:
            return " smoothed";
        case Extension::None:
            break;
    }
    return "";
}

std::string range_text(std::int64_t millis, const DurationPtr& duration) {
    return duration ? to_text(*duration) : duration_text(millis);
}

std::string subquery_suffix(const Subquery& node) {
    std::string step = node.step_expr ? to_text(*node.step_expr) : node.step != 0 ? duration_text(node.step) : "";
    return "[" + range_text(node.range, node.range_expr) + ":" + step + "]" + at_text(node.shift) +
           offset_text(node.shift);
}

std::string matching_text(const Binary& node) {
    std::string out = node.return_bool ? " bool" : "";
    const Matching& matching = node.matching;
    const bool grouped = matching.card == Matching::Card::ManyToOne || matching.card == Matching::Card::OneToMany;
    if (!matching.labels.empty() || matching.on || grouped) {
        out += matching.on ? " on (" : " ignoring (";
        out += join_labels(matching.labels) + ")";
    }
    if (grouped) {
        out += matching.card == Matching::Card::ManyToOne ? " group_left (" : " group_right (";
        out += join_labels(matching.include) + ")";
    }
    if (matching.fill_left && matching.fill_right && *matching.fill_left == *matching.fill_right) {
        return out + " fill (" + format_general(*matching.fill_left) + ")";
    }
    if (matching.fill_left) out += " fill_left (" + format_general(*matching.fill_left) + ")";
    if (matching.fill_right) out += " fill_right (" + format_general(*matching.fill_right) + ")";
    return out;
}

std::string aggregate_head(const Aggregate& node) {
    std::string out(to_string(node.op));
    if (node.without) return out + " without (" + join_labels(node.grouping) + ") ";
    if (!node.grouping.empty()) return out + " by (" + join_labels(node.grouping) + ") ";
    return out;
}

std::string text_of(const NumberLiteral& node) {
    if (!node.duration) return format_float(node.value);
    const auto millis = static_cast<std::int64_t>(std::abs(node.value) * 1000);
    return (node.value < 0 ? "-" : "") + duration_text(millis);
}
std::string text_of(const StringLiteral& node) {
    return quote(node.value);
}
std::string text_of(const VectorSelector& node) {
    return matchers_text(node) + at_text(node.shift) + std::string(extension_text(node.extension)) +
           offset_text(node.shift);
}
std::string text_of(const MatrixSelector& node) {
    const auto& selector = *node.vector->as<VectorSelector>();
    return matchers_text(selector) + "[" + range_text(node.range, node.range_expr) + "]" +
           std::string(extension_text(selector.extension)) + at_text(selector.shift) + offset_text(selector.shift);
}
std::string text_of(const Subquery& node) {
    return to_text(*node.inner) + subquery_suffix(node);
}
std::string text_of(const Call& node) {
    std::string out = std::string(node.function->name) + "(";
    for (const ExprPtr& arg : node.args) {
        if (&arg != &node.args.front()) out += ", ";
        out += to_text(*arg);
    }
    return out + ")";
}
std::string text_of(const Aggregate& node) {
    std::string out = aggregate_head(node) + "(";
    if (node.param) out += to_text(*node.param) + ", ";
    return out + to_text(*node.inner) + ")";
}
std::string text_of(const Binary& node) {
    return to_text(*node.left) + " " + std::string(to_string(node.op)) + matching_text(node) + " " +
           to_text(*node.right);
}
std::string text_of(const Unary& node) {
    return (node.negative ? "-" : "+") + to_text(*node.inner);
}
std::string text_of(const Paren& node) {
    return "(" + to_text(*node.inner) + ")";
}

std::string indent(int level) {
    return std::string(static_cast<std::size_t>(level) * 2, ' ');
}

std::string trimmed(const std::string& text) {
    const std::size_t first = text.find_first_not_of(" \n");
    return first == std::string::npos ? "" : text.substr(first);
}

// What is short stands on one line; otherwise its parts do, one level deeper.
class Layout {
public:
    static std::string of(const Expr& expr, int level) {
        const std::string text = to_text(expr);
        if (text.size() <= kLongestLine && !expr.as<Unary>()) {
            return (expr.as<Subquery>() ? "" : indent(level)) + text;
        }
        return std::visit([&](const auto& node) { return split(node, level, text); }, expr.node);
    }

private:
    template <typename Leaf>
    static std::string split(const Leaf&, int level, const std::string& text) {
        return indent(level) + text;
    }
    static std::string split(const Subquery& node, int level, const std::string&) {
        return of(*node.inner, level) + subquery_suffix(node);
    }
    static std::string split(const Call& node, int level, const std::string&) {
        std::string out = indent(level) + std::string(node.function->name) + "(\n";
        for (const ExprPtr& arg : node.args) {
            if (&arg != &node.args.front()) out += ",\n";
            out += of(*arg, level + 1);
        }
        return out + "\n" + indent(level) + ")";
    }
    static std::string split(const Aggregate& node, int level, const std::string&) {
        std::string out = indent(level) + aggregate_head(node) + "(\n";
        if (node.param) out += of(*node.param, level + 1) + ",\n";
        return out + of(*node.inner, level + 1) + "\n" + indent(level) + ")";
    }
    static std::string split(const Binary& node, int level, const std::string&) {
        return of(*node.left, level + 1) + "\n" + indent(level) + std::string(to_string(node.op)) +
               matching_text(node) + "\n" + of(*node.right, level + 1);
    }
    static std::string split(const Unary& node, int level, const std::string&) {
        return indent(level) + (node.negative ? "-" : "+") + trimmed(of(*node.inner, level));
    }
    static std::string split(const Paren& node, int level, const std::string&) {
        return indent(level) + "(\n" + of(*node.inner, level + 1) + "\n" + indent(level) + ")";
    }
};

}  // namespace

std::string duration_text(std::int64_t millis) {
    struct Unit {
        std::string_view name;
        std::int64_t size;
        bool exact;  // Only where nothing is left over.
    };
    static constexpr std::int64_t kDay = 24LL * 3600 * 1000;
    static constexpr std::array<Unit, 7> kUnits = {{{"y", 365 * kDay, true},
                                                    {"w", 7 * kDay, true},
                                                    {"d", kDay, false},
                                                    {"h", 3600 * 1000, false},
                                                    {"m", 60 * 1000, false},
                                                    {"s", 1000, false},
                                                    {"ms", 1, false}}};
    if (millis == 0) return "0s";
    std::string out;
    for (const Unit& unit : kUnits) {
        if (unit.exact && millis % unit.size != 0) continue;
        if (millis >= unit.size) out += std::to_string(millis / unit.size) + std::string(unit.name);
        millis %= unit.size;
    }
    return out;
}

std::string to_text(const DurationExpr& duration) {
    using Op = DurationExpr::Op;
    static constexpr std::string_view kOperators = "+-*/%^";
    std::string out;
    switch (duration.op) {
        case Op::Number: {
            NumberLiteral number{duration.seconds, duration.written_as_duration};
            out = text_of(number);
            break;
        }
        case Op::Step:
            out = "step()";
            break;
        case Op::Range:
            out = "range()";
            break;
        case Op::Min:
        case Op::Max:
            out = std::string(duration.op == Op::Min ? "min_of(" : "max_of(") + to_text(*duration.left) + ", " +
                  to_text(*duration.right) + ")";
            break;
        case Op::Plus:
            out = to_text(*duration.right);
            break;
        case Op::Minus:
            out = "-" + to_text(*duration.right);
            break;
        default:
            out = to_text(*duration.left) + " " +
                  kOperators[static_cast<std::size_t>(duration.op) - static_cast<std::size_t>(Op::Add)] + " " +
                  to_text(*duration.right);
    }
    return duration.parenthesised ? "(" + out + ")" : out;
}

std::string to_text(const Expr& expr) {
    return std::visit([](const auto& node) { return text_of(node); }, expr.node);
}

std::string pretty(const Expr& expr) {
    return Layout::of(expr, 0);
}

}  // namespace stoker::promql
