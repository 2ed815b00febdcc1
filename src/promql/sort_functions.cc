// sort and its kin. They order an instant query's answer; a range query's series are in the order of their labels.
#include <algorithm>
#include <cmath>

#include "promql/evaluator.h"
#include "promql/frame_functions.h"

namespace stoker::promql {

namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Takes what is all digits, or all something else, off the front.
std::string_view take_chunk(std::string_view& text) {
    std::size_t length = 1;
    while (length < text.size() && is_digit(text[length]) == is_digit(text[0])) ++length;
    const std::string_view chunk = text.substr(0, length);
    text.remove_prefix(length);
    return chunk;
}

std::string_view without_zeros(std::string_view digits) {
    const std::size_t first = digits.find_first_not_of('0');
    return first == std::string_view::npos ? digits.substr(digits.size()) : digits.substr(first);
}

int order_of(std::string_view a, std::string_view b) {
    const int order = a.compare(b);
    return order < 0 ? -1 : order > 0 ? 1 : 0;
}

// Negative, zero or positive. Natural order: numbers within the text count as numbers, "a2" before "a10".
int natural_order(std::string_view a, std::string_view b) {
    std::string_view x = a;
    std::string_view y = b;
    while (!x.empty() && !y.empty()) {
        const std::string_view chunk_x = take_chunk(x);
        const std::string_view chunk_y = take_chunk(y);
        if (is_digit(chunk_x[0]) && is_digit(chunk_y[0])) {
            const std::string_view digits_x = without_zeros(chunk_x);
            const std::string_view digits_y = without_zeros(chunk_y);
            if (digits_x.size() != digits_y.size()) return digits_x.size() < digits_y.size() ? -1 : 1;
            if (const int order = order_of(digits_x, digits_y); order != 0) return order;
        } else if (const int order = order_of(chunk_x, chunk_y); order != 0) {
            return order;
        }
    }
    if (x.empty() != y.empty()) return x.empty() ? -1 : 1;
    return order_of(a, b);
}

void say_if_useless(Evaluator& evaluator, const Expr& expr) {
    Context& context = evaluator.context();
    if (context.start() == context.end()) return;
    context.warn("sort is ineffective for range queries since results are always ordered by labels", expr.begin);
}

Result<Frame> sorted_by_value(Evaluator& evaluator, const Expr& expr, const Call& call, bool descending) {
    say_if_useless(evaluator, expr);
    TRY(Frame frame, evaluator.eval(*call.args[0]));
    for (Column& column : frame) keep_numbers(column);
    if (evaluator.steps().count != 1) return frame;
    std::erase_if(frame, [](const Column& column) { return !present(column.values[0]); });
    std::stable_sort(frame.begin(), frame.end(), [&](const Column& a, const Column& b) {
        const double x = a.values[0];
        const double y = b.values[0];
        if (std::isnan(x) || std::isnan(y)) return !std::isnan(x) && std::isnan(y);
        return descending ? x > y : x < y;
    });
    return frame;
}

Result<Frame> sorted_by_label(Evaluator& evaluator, const Expr& expr, const Call& call, bool descending) {
    say_if_useless(evaluator, expr);
    TRY(Frame frame, evaluator.eval(*call.args[0]));
    if (evaluator.steps().count != 1) return frame;
    std::stable_sort(frame.begin(), frame.end(), [&](const Column& a, const Column& b) {
        for (std::size_t i = 1; i < call.args.size(); ++i) {
            const std::string& label = unwrap(*call.args[i]).as<StringLiteral>()->value;
            const int order = natural_order(a.labels.get(label), b.labels.get(label));
            if (order != 0) return descending ? order > 0 : order < 0;
        }
        return descending ? b.labels < a.labels : a.labels < b.labels;
    });
    return frame;
}

}  // namespace

Result<Frame> fn_sort(Evaluator& evaluator, const Expr& expr, const Call& call) {
    return sorted_by_value(evaluator, expr, call, false);
}
Result<Frame> fn_sort_desc(Evaluator& evaluator, const Expr& expr, const Call& call) {
    return sorted_by_value(evaluator, expr, call, true);
}
Result<Frame> fn_sort_by_label(Evaluator& evaluator, const Expr& expr, const Call& call) {
    return sorted_by_label(evaluator, expr, call, false);
}
Result<Frame> fn_sort_by_label_desc(Evaluator& evaluator, const Expr& expr, const Call& call) {
    return sorted_by_label(evaluator, expr, call, true);
}

}  // namespace stoker::promql
