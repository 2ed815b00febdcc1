// Operators between two vectors. Series meet by the labels that on() and ignoring() leave; which series those are is
// found once, and each step only looks at who has a value there.
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "promql/evaluator.h"
#include "promql/format.h"

namespace stoker::promql {

namespace {

using Members = std::vector<std::size_t>;  // Indices of columns.

// The labels by which an element finds its partner.
tsdb::Labels signature(const Matching& matching, const tsdb::Labels& labels) {
    if (matching.on) return labels.only(matching.labels);
    std::vector<std::string> dropped = matching.labels;
    dropped.emplace_back(tsdb::kMetricName);
    return labels.without(dropped);
}

struct Group {
    tsdb::Labels labels;
    Members many;
    Members one;
};

// Groups in the order in which the columns of `many` first name them, then those that only `one` has.
std::vector<Group> pair_up(const Matching& matching, const Frame& many, const Frame& one) {
    std::vector<Group> groups;
    std::unordered_map<tsdb::Labels, std::size_t> index;
    const auto add = [&](const Frame& frame, Members Group::*side) {
        for (std::size_t i = 0; i < frame.size(); ++i) {
            tsdb::Labels key = signature(matching, frame[i].labels);
            const auto [at, fresh] = index.emplace(key, groups.size());
            if (fresh) groups.push_back({std::move(key), {}, {}});
            (groups[at->second].*side).push_back(i);
        }
    };
    add(many, &Group::many);
    add(one, &Group::one);
    return groups;
}

tsdb::Labels result_labels(const Context& context, const Binary& node, const tsdb::Labels& many,
                           const tsdb::Labels& one) {
    const Matching& matching = node.matching;
    const bool renamed = node.return_bool && context.name_removal() == NameRemoval::AtOnce;
    tsdb::Labels labels = is_arithmetic(node.op) || renamed ? without_name(many) : many;
    if (matching.card == Matching::Card::OneToOne) {
        return matching.on ? labels.only(matching.labels) : labels.without(matching.labels);
    }
    for (const std::string& name : matching.include) labels = labels.with(name, one.get(name));
    return labels;
}

class Matcher {
public:
    Matcher(Context& context, const Expr& expr, const Binary& node, const Frame& left, const Frame& right)
        : context_(context),
          place_(expr.begin),
          node_(node),
          swapped_(node.matching.card == Matching::Card::OneToMany),
          many_(swapped_ ? right : left),
          one_(swapped_ ? left : right) {}

    Result<Frame> run() {
        const Matching& matching = node_.matching;
        const bool fills = matching.fill_left || matching.fill_right;
        if ((many_.empty() || one_.empty()) && (!fills || (many_.empty() && one_.empty()))) return Frame{};
        const std::size_t steps = many_.empty() ? one_[0].values.size() : many_[0].values.size();
        const std::vector<Group> groups = pair_up(matching, many_, one_);
        const std::vector<char> any_many = steps_with_points(many_, steps);
        const std::vector<char> any_one = steps_with_points(one_, steps);
        for (const Group& group : groups) {
            TRY_UNIT(context_.check());
            for (std::size_t step = 0; step < steps; ++step) {
                // Where a side has nothing at all, even what would be a mistake goes unnoticed.
                const bool both = any_many[step] != 0 && any_one[step] != 0;
                const bool either = any_many[step] != 0 || any_one[step] != 0;
                if (both || (fills && either)) TRY_UNIT(match(group, step));
            }
        }
        return in_order();
    }

private:
    static std::vector<char> steps_with_points(const Frame& frame, std::size_t steps) {
        std::vector<char> any(steps, 0);
        for (const Column& column : frame) {
            for (std::size_t step = 0; step < steps; ++step) any[step] |= present(column.values[step]) ? 1 : 0;
        }
        return any;
    }

    // An element of one side, or what fills in for one: its column is null then.
    struct Element {
        const Column* column = nullptr;
        std::size_t index = kFilled;
        Point point;
    };
    static constexpr std::size_t kFilled = static_cast<std::size_t>(-1);

    static Element element(const Frame& frame, std::size_t index, std::size_t step) {
        return {&frame[index], index, point_at(frame[index], step)};
    }

    Result<Unit> match(const Group& group, std::size_t step) {
        Element partner;
        for (const std::size_t i : group.one) {
            if (!present(one_[i].values[step])) continue;
            if (partner.column != nullptr) return duplicate(group, *partner.column, one_[i]);
            partner = element(one_, i, step);
        }
        const Matching& matching = node_.matching;
        const std::optional<double>& fill_one = matching.fill_right;
        const std::optional<double>& fill_many = matching.fill_left;
        const bool found = partner.column != nullptr;
        if (!found && !fill_one) return Unit{};
        if (!found) partner.point = {*fill_one, nullptr};
        bool matched = false;
        for (const std::size_t i : group.many) {
            if (present(many_[i].values[step])) TRY_UNIT(pair(group, element(many_, i, step), partner, step, matched));
        }
        if (found && !matched && fill_many) {
            Element filled;
            filled.point = {*fill_many, nullptr};
            TRY_UNIT(pair(group, filled, partner, step, matched));
        }
        return Unit{};
    }

    // `matched`: whether the group's element of the "one" side has been used at this step.
    Result<Unit> pair(const Group& group, const Element& many, const Element& one, std::size_t step, bool& matched) {
        bool applies = true;
        Point result = swapped_ ? combine(one.point, many.point, applies) : combine(many.point, one.point, applies);
        if (!applies) return Unit{};
        const bool one_to_one = node_.matching.card == Matching::Card::OneToOne;
        if (one_to_one && matched) {
            return execution_error(
                "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)");
        }
        TRY(const std::size_t index, result_column(group, many, one));
        if (!one_to_one && used_[index] == std::pair{&group, step}) {
            return execution_error("multiple matches for labels: grouping labels must ensure unique matches");
        }
        used_[index] = {&group, step};
        matched = true;
        // A filter that lets nothing through still had its match.
        if (!present(result.value)) return Unit{};
        if (present(result_[index].values[step])) {
            return execution_error("vector cannot contain metrics with the same labelset");
        }
        set_point(result_[index], step, std::move(result));
        return Unit{};
    }

    Point combine(const Point& left, const Point& right, bool& applies) const {
        Point result = apply_operator(context_, node_, place_, left, right, applies);
        if (applies && node_.return_bool) return {present(result.value) ? 1.0 : 0.0, nullptr};
        return result;
    }

    // Results in the order of the many side's columns, which sort() may have chosen.
    Frame in_order() {
        std::vector<std::size_t> order(result_.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::stable_sort(order.begin(), order.end(),
                         [&](std::size_t a, std::size_t b) { return first_[a] < first_[b]; });
        Frame sorted;
        sorted.reserve(result_.size());
        for (const std::size_t i : order) sorted.push_back(std::move(result_[i]));
        return sorted;
    }

    // Where the result of this pair goes; remembered, so that labels are worked out once a pair.
    Result<std::size_t> result_column(const Group& group, const Element& many, const Element& one) {
        const std::tuple key{&group, many.column, one.column};
        if (key == last_pair_) return last_index_;
        const auto [known, new_pair] = pairs_.try_emplace(key, result_.size());
        if (new_pair) {
            const std::size_t steps = (many.column != nullptr ? many.column : one.column)->values.size();
            tsdb::Labels labels =
                result_labels(context_, node_, many.column != nullptr ? many.column->labels : group.labels,
                              one.column != nullptr ? one.column->labels : group.labels);
            const auto [at, fresh] = columns_.emplace(labels, result_.size());
            if (fresh) {
                TRY_UNIT(context_.charge(steps));
                result_.push_back({std::move(labels), missing_values(steps)});
                result_.back().drop_name = node_.return_bool;
                first_.push_back(many.index);
                used_.emplace_back(nullptr, 0);
            }
            known->second = at->second;
        }
        last_pair_ = key;
        last_index_ = known->second;
        return last_index_;
    }

    Error duplicate(const Group& group, const Column& a, const Column& b) const {
        return execution_error("found duplicate series for the match group " + labels_in_message(group.labels) +
                               " on the " + (swapped_ ? "left" : "right") + " hand-side of the operation: [" +
                               labels_in_message(b.labels) + ", " + labels_in_message(a.labels) +
                               "];many-to-many matching not allowed: matching labels must be unique on one side");
    }

    Context& context_;
    const std::size_t place_;
    const Binary& node_;
    const bool swapped_;
    const Frame& many_;
    const Frame& one_;
    Frame result_;
    std::vector<std::size_t> first_;                          // For each result the many side's column that made it.
    std::vector<std::pair<const Group*, std::size_t>> used_;  // And the group and step that used it last.
    std::unordered_map<tsdb::Labels, std::size_t> columns_;
    using Pair = std::tuple<const Group*, const Column*, const Column*>;
    std::map<Pair, std::size_t> pairs_;
    Pair last_pair_{nullptr, nullptr, nullptr};
    std::size_t last_index_ = 0;
};

}  // namespace

Result<Frame> match_vectors(Context& context, const Expr& expr, const Binary& node, const Frame& left,
                            const Frame& right) {
    return Matcher(context, expr, node, left, right).run();
}

Result<Frame> set_operation(const Binary& node, Frame left, Frame right) {
    const auto groups = pair_up(node.matching, left, right);
    // Per group: keep a column's point where the other side has (or has not) any.
    const auto filter = [](const Frame& frame, const Members& members, std::size_t step) {
        for (const std::size_t i : members) {
            if (present(frame[i].values[step])) return true;
        }
        return false;
    };
    for (const Group& group : groups) {
        const bool keeps_left = node.op == BinaryOp::Or;
        Frame& changed = keeps_left ? right : left;
        const Frame& other = keeps_left ? left : right;
        const Members& members = keeps_left ? group.one : group.many;
        const Members& others = keeps_left ? group.many : group.one;
        if (members.empty()) continue;
        const std::size_t steps = changed[members[0]].values.size();
        for (std::size_t step = 0; step < steps; ++step) {
            const bool there = filter(other, others, step);
            if (there == (node.op == BinaryOp::And)) continue;
            for (const std::size_t i : members) clear_point(changed[i], step);
        }
    }
    if (node.op != BinaryOp::Or) return left;
    for (Column& column : right) left.push_back(std::move(column));
    return join_same_labels(std::move(left));
}

}  // namespace stoker::promql
