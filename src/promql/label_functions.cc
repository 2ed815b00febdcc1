// label_replace and label_join.
#include <re2/re2.h>

#include <charconv>
#include <utility>

#include "promql/evaluator.h"
#include "promql/format.h"
#include "promql/frame_functions.h"

namespace stoker::promql {

namespace {

const std::string& text_of(const Expr& expr) {
    return unwrap(expr).as<StringLiteral>()->value;
}

using Captures = std::vector<re2::StringPiece>;

bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// What $name or $1 stands for; nothing if the expression has no such group.
std::string_view capture(const re2::RE2& regex, const Captures& captures, std::string_view name) {
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
    if (error != std::errc() || end != name.data() + name.size()) {
        const auto found = regex.NamedCapturingGroups().find(std::string(name));
        if (found == regex.NamedCapturingGroups().end()) return {};
        index = static_cast<std::size_t>(found->second);
    }
    if (index >= captures.size()) return {};
    return {captures[index].data(), captures[index].size()};
}

// Go's Regexp.Expand: $1, ${1}, $name, ${name}, $$; a name is as long as it can be.
std::string expand(const re2::RE2& regex, const Captures& captures, std::string_view pattern) {
    std::string out;
    while (!pattern.empty()) {
        const std::size_t dollar = pattern.find('$');
        out += pattern.substr(0, dollar);
        if (dollar == std::string_view::npos) break;
        pattern.remove_prefix(dollar + 1);
        if (pattern.starts_with('$')) {
            out += '$';
            pattern.remove_prefix(1);
            continue;
        }
        const bool braced = pattern.starts_with('{');
        std::size_t end = braced ? 1 : 0;
        while (end < pattern.size() && is_name_char(pattern[end])) ++end;
        const std::string_view name = pattern.substr(braced ? 1 : 0, end - (braced ? 1 : 0));
        const bool closed = !braced || (end < pattern.size() && pattern[end] == '}');
        if (name.empty() || !closed) {
            out += '$';  // Malformed: taken as it stands.
            continue;
        }
        out += capture(regex, captures, name);
        pattern.remove_prefix(end + (braced ? 1 : 0));
    }
    return out;
}

}  // namespace

Result<Frame> fn_label_replace(Evaluator& evaluator, const Expr&, const Call& call) {
    const std::string& destination = text_of(*call.args[1]);
    const std::string& replacement = text_of(*call.args[2]);
    const std::string& source = text_of(*call.args[3]);
    const std::string& pattern = text_of(*call.args[4]);
    const re2::RE2 regex("^(?s:" + pattern + ")$", re2::RE2::Quiet);
    if (!regex.ok()) return execution_error("invalid regular expression in label_replace(): " + pattern);
    if (destination.empty()) {
        return execution_error("invalid destination label name in label_replace(): " + destination);
    }
    TRY(Frame frame, evaluator.eval(*call.args[0]));
    Captures captures(static_cast<std::size_t>(regex.NumberOfCapturingGroups()) + 1);
    for (Column& column : frame) {
        const std::string value(column.labels.get(source));
        if (!regex.Match(value, 0, value.size(), re2::RE2::ANCHOR_BOTH, captures.data(),
                         static_cast<int>(captures.size()))) {
            continue;
        }
        column.labels = column.labels.with(destination, expand(regex, captures, replacement));
        if (destination == tsdb::kMetricName) column.drop_name = false;
    }
    return join_same_labels(std::move(frame));
}

Result<Frame> fn_label_join(Evaluator& evaluator, const Expr&, const Call& call) {
    const std::string& destination = text_of(*call.args[1]);
    const std::string& separator = text_of(*call.args[2]);
    if (destination.empty()) return execution_error("invalid destination label name in label_join(): " + destination);
    for (std::size_t i = 3; i < call.args.size(); ++i) {
        if (text_of(*call.args[i]).empty()) return execution_error("invalid source label name in label_join(): ");
    }
    TRY(Frame frame, evaluator.eval(*call.args[0]));
    for (Column& column : frame) {
        std::string joined;
        for (std::size_t i = 3; i < call.args.size(); ++i) {
            if (i > 3) joined += separator;
            joined += column.labels.get(text_of(*call.args[i]));
        }
        column.labels = column.labels.with(destination, joined);
        if (destination == tsdb::kMetricName) column.drop_name = false;
    }
    return join_same_labels(std::move(frame));
}

}  // namespace stoker::promql
