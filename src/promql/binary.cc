// Operators between two vectors. Series meet by the labels that on() and ignoring() leave; which series those are is
// found once, and each step only looks at who has a value there.
#include <algorithm>
#include <cmath>
#include <numeric>
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

tsdb::Labels result_labels(const Binary& node, const tsdb::Labels& many, const tsdb::Labels& one) {
    const Matching& matching = node.matching;
    tsdb::Labels labels = !is_comparison(node.op) || node.return_bool ? without_name(many) : many;
    if (matching.card == Matching::Card::OneToOne) {
        return matching.on ? labels.only(matching.labels) : labels.without(matching.labels);
    }
    for (const std::string& name : matching.include) labels = labels.with(name, one.get(name));
    return labels;
}

class Matcher {
public:
    Matcher(Context& context, const Binary& node, const Frame& left, const Frame& right)
        : context_(context),
          node_(node),
          swapped_(node.matching.card == Matching::Card::OneToMany),
          many_(swapped_ ? right : left),
          one_(swapped_ ? left : right) {}

    Result<Frame> run() {
        if (many_.empty() || one_.empty()) return Frame{};
        const std::size_t steps = many_[0].values.size();
        for (const Group& group : pair_up(node_.matching, many_, one_)) {
            TRY_UNIT(context_.check());
            for (std::size_t step = 0; step < steps; ++step) TRY_UNIT(match(group, step));
        }
        return in_order();
    }

private:
    Result<Unit> match(const Group& group, std::size_t step) {
        const Column* partner = nullptr;
        for (const std::size_t i : group.one) {
            if (!present(one_[i].values[step])) continue;
            if (partner != nullptr) return duplicate(group, *partner, one_[i]);
            partner = &one_[i];
        }
        if (partner == nullptr) return Unit{};
        const bool one_to_one = node_.matching.card == Matching::Card::OneToOne;
        bool matched = false;
        for (const std::size_t i : group.many) {
            const double value = many_[i].values[step];
            if (!present(value)) continue;
            const double other = partner->values[step];
            const double result = combine(swapped_ ? other : value, swapped_ ? value : other);
            if (!present(result)) continue;
            if (one_to_one && matched) {
                return execution_error(
                    "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)");
            }
            matched = true;
            TRY(double* cell, result_cell(i, *partner, step));
            *cell = result;
        }
        return Unit{};
    }

    double combine(double left, double right) const {
        if (!is_comparison(node_.op)) return apply_operator(node_.op, left, right);
        const bool holds = compare(node_.op, left, right);
        if (node_.return_bool) return holds ? 1 : 0;
        return holds ? left : missing();
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
    Result<double*> result_cell(std::size_t many, const Column& one, std::size_t step) {
        const std::pair key{many, &one};
        if (key != last_pair_) {
            const auto known = pairs_.find(key.first * one_.size() + static_cast<std::size_t>(&one - one_.data()));
            if (known != pairs_.end()) {
                last_index_ = known->second;
            } else {
                tsdb::Labels labels = result_labels(node_, many_[many].labels, one.labels);
                const auto [at, fresh] = columns_.emplace(labels, result_.size());
                if (fresh) {
                    TRY_UNIT(context_.charge(one.values.size()));
                    result_.push_back({std::move(labels), missing_values(one.values.size())});
                    first_.push_back(many);
                }
                last_index_ = at->second;
                pairs_.emplace(many * one_.size() + static_cast<std::size_t>(&one - one_.data()), last_index_);
            }
            last_pair_ = key;
        }
        double* cell = &result_[last_index_].values[step];
        if (!present(*cell)) return cell;
        if (node_.matching.card == Matching::Card::OneToOne) {
            return execution_error("vector cannot contain metrics with the same labelset");
        }
        return execution_error("multiple matches for labels: grouping labels must ensure unique matches");
    }

    Error duplicate(const Group& group, const Column& a, const Column& b) const {
        return execution_error("found duplicate series for the match group " + labels_in_message(group.labels) +
                               " on the " + (swapped_ ? "left" : "right") + " hand-side of the operation: [" +
                               labels_in_message(b.labels) + ", " + labels_in_message(a.labels) +
                               "];many-to-many matching not allowed: matching labels must be unique on one side");
    }

    Context& context_;
    const Binary& node_;
    const bool swapped_;
    const Frame& many_;
    const Frame& one_;
    Frame result_;
    std::vector<std::size_t> first_;  // For each result the many side's column that made it.
    std::unordered_map<tsdb::Labels, std::size_t> columns_;
    std::unordered_map<std::size_t, std::size_t> pairs_;
    std::pair<std::size_t, const Column*> last_pair_{0, nullptr};
    std::size_t last_index_ = 0;
};

}  // namespace

double apply_operator(BinaryOp op, double left, double right) {
    switch (op) {
        case BinaryOp::Add:
            return left + right;
        case BinaryOp::Sub:
            return left - right;
        case BinaryOp::Mul:
            return left * right;
        case BinaryOp::Div:
            return left / right;
        case BinaryOp::Mod:
            return std::fmod(left, right);
        case BinaryOp::Pow:
            return std::pow(left, right);
        default:
            return std::atan2(left, right);
    }
}

bool compare(BinaryOp op, double left, double right) {
    switch (op) {
        case BinaryOp::Equal:
            return left == right;
        case BinaryOp::NotEqual:
            return left != right;
        case BinaryOp::Less:
            return left < right;
        case BinaryOp::LessEqual:
            return left <= right;
        case BinaryOp::Greater:
            return left > right;
        default:
            return left >= right;
    }
}

Result<Frame> match_vectors(Context& context, const Binary& node, const Frame& left, const Frame& right) {
    return Matcher(context, node, left, right).run();
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
            for (const std::size_t i : members) changed[i].values[step] = missing();
        }
    }
    if (node.op != BinaryOp::Or) return left;
    for (Column& column : right) left.push_back(std::move(column));
    return join_same_labels(std::move(left));
}

}  // namespace stoker::promql
