// info(v, {selector}): v with labels of info metrics (target_info, unless the selector names others) that have the same
// instance and job.
#include <re2/re2.h>

#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "promql/evaluator.h"
#include "promql/format.h"
#include "promql/frame_functions.h"
#include "tsdb/matcher.h"

namespace stoker::promql {

namespace {

constexpr std::string_view kTargetInfo = "target_info";

const std::vector<std::string>& identifying_labels() {
    static const std::vector<std::string> kLabels = {"instance", "job"};
    return kLabels;
}

// A name matcher that only excludes leaves open which series are info series.
bool says_what_it_wants(const tsdb::Matcher& matcher) {
    return matcher.op == tsdb::Matcher::Op::Equal || matcher.op == tsdb::Matcher::Op::Regex;
}

class Enricher {
public:
    explicit Enricher(Evaluator& evaluator) : evaluator_(evaluator) {}

    Result<Unit> prepare(const Expr* selector) {
        std::vector<tsdb::Matcher> names;
        if (selector != nullptr) {
            for (const tsdb::Matcher& matcher : selector->as<VectorSelector>()->matchers) {
                (matcher.name == tsdb::kMetricName ? names : data_).push_back(matcher);
            }
        }
        if (names.empty()) {
            names.push_back({std::string(tsdb::kMetricName), tsdb::Matcher::Op::Equal, std::string(kTargetInfo)});
        } else if (std::none_of(names.begin(), names.end(), says_what_it_wants)) {
            names.push_back({std::string(tsdb::kMetricName), tsdb::Matcher::Op::Regex, ".+_info"});
        }
        TRY(info_names_, tsdb::compile_all(names));
        TRY(const auto data, tsdb::compile_all(data_));
        for (const tsdb::CompiledMatcher& matcher : data) needs_info_ = needs_info_ || !matcher.matches("");
        for (const tsdb::Matcher& matcher : data_) wanted_.insert(matcher.name);
        query_.matchers = std::move(names);
        query_.matchers.insert(query_.matchers.end(), data_.begin(), data_.end());
        return Unit{};
    }

    Result<Frame> enrich(const Frame& base) {
        TRY_UNIT(find_infos(base));
        for (std::size_t step = 0; step < evaluator_.steps().count; ++step) {
            TRY_UNIT(evaluator_.context().check());
            TRY(const Newest newest, newest_at(step));
            for (const Column& column : base) {
                if (present(column.values[step])) TRY_UNIT(add_point(column, step, newest));
            }
        }
        return std::move(result_);
    }

private:
    // The info series that counts at a step, by its name and identifying labels.
    using Newest = std::map<std::pair<std::string, tsdb::Labels>, const Column*>;

    bool is_info(const tsdb::Labels& labels) const {
        const auto matches = [&](const tsdb::CompiledMatcher& matcher) { return matcher.matches(labels.metric()); };
        return std::all_of(info_names_.begin(), info_names_.end(), matches);
    }

    Result<Unit> find_infos(const Frame& base) {
        std::map<std::string, std::set<std::string>> values;
        for (const Column& column : base) {
            if (is_info(column.labels)) continue;
            for (const std::string& label : identifying_labels()) {
                if (column.labels.has(label)) values[label].emplace(column.labels.get(label));
            }
        }
        if (values.empty()) return Unit{};
        for (const auto& [label, all] : values) {
            std::string regex;
            for (const std::string& value : all) regex += (regex.empty() ? "" : "|") + re2::RE2::QuoteMeta(value);
            query_.matchers.push_back({label, tsdb::Matcher::Op::Regex, std::move(regex)});
        }
        // With the samples' own times for values, since the newest of several wins.
        TRY(infos_, evaluator_.eval_selector(query_, Shows::Time));
        for (const Column& info : infos_) names_.emplace(info.labels.metric());
        return Unit{};
    }

    Result<Newest> newest_at(std::size_t step) const {
        Newest newest;
        for (const Column& info : infos_) {
            if (!present(info.values[step])) continue;
            const std::pair key{std::string(info.labels.metric()), info.labels.only(identifying_labels())};
            const auto [at, fresh] = newest.try_emplace(key, &info);
            if (fresh) continue;
            const double known = at->second->values[step];
            const double other = info.values[step];
            if (known == other) {
                return execution_error("found duplicate series for info metric: existing " + at->second->labels.text() +
                                       " @ " + millis(known) + ", new " + info.labels.text() + " @ " + millis(other));
            }
            if (known < other) at->second = &info;
        }
        return newest;
    }

    static std::string millis(double seconds) { return format_float(seconds * 1000); }

    Result<Unit> add_point(const Column& column, std::size_t step, const Newest& newest) {
        tsdb::Labels labels = column.labels;
        if (!is_info(column.labels)) {
            std::map<std::string, std::string> added;
            bool any = false;
            for (const std::string& name : names_) {
                const auto found = newest.find({name, column.labels.only(identifying_labels())});
                if (found == newest.end()) continue;
                any = true;
                TRY_UNIT(take_labels(column.labels, found->second->labels, added));
            }
            if (!any && needs_info_) return Unit{};
            for (const auto& [name, value] : added) labels = labels.with(name, value);
        }
        const auto [at, fresh] = index_.emplace(labels, result_.size());
        if (fresh) {
            TRY_UNIT(evaluator_.context().charge(evaluator_.steps().count));
            result_.push_back({std::move(labels), missing_values(evaluator_.steps().count)});
            result_.back().drop_name = column.drop_name;
        }
        Column& into = result_[at->second];
        if (present(into.values[step])) return execution_error("vector cannot contain metrics with the same labelset");
        set_point(into, step, point_at(column, step));
        return Unit{};
    }

    Result<Unit> take_labels(const tsdb::Labels& base, const tsdb::Labels& info,
                             std::map<std::string, std::string>& added) const {
        for (const auto& [name, value] : info) {
            if (name == tsdb::kMetricName || (!wanted_.empty() && !wanted_.contains(name))) continue;
            const auto known = added.find(name);
            if (known != added.end() && known->second != value) return execution_error("conflicting label: " + name);
            if (!base.has(name)) added.emplace(name, value);
        }
        return Unit{};
    }

    Evaluator& evaluator_;
    std::vector<tsdb::CompiledMatcher> info_names_;  // A series of the argument with such a name is one itself.
    std::vector<tsdb::Matcher> data_;
    std::set<std::string, std::less<>> wanted_;  // Labels to take; empty: all.
    bool needs_info_ = false;                    // Series without info are left out.
    VectorSelector query_;
    Frame infos_;
    std::set<std::string> names_;
    Frame result_;
    std::unordered_map<tsdb::Labels, std::size_t> index_;
};

}  // namespace

Result<Frame> fn_info(Evaluator& evaluator, const Expr&, const Call& call) {
    TRY(const Frame base, evaluator.eval(*call.args[0]));
    Enricher enricher(evaluator);
    TRY_UNIT(enricher.prepare(call.args.size() > 1 ? call.args[1].get() : nullptr));
    return enricher.enrich(base);
}

}  // namespace stoker::promql
