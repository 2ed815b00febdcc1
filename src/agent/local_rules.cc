#include "agent/local_rules.h"

#include <cctype>

#include "promql/engine.h"
#include "promql/memory_querier.h"

namespace stoker::agent {
namespace {

constexpr std::size_t kMostSamples = 1'000;  // Of one series.

promql::Engine engine() {
    promql::EngineOptions options;
    options.lookback = std::chrono::seconds(30);
    options.timeout = std::chrono::seconds(2);
    options.max_samples = LocalRules::kMostSeries * kMostSamples;
    return promql::Engine(options);
}

bool in_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == ':';
}

// Everything in the expression that could be a metric's name; more than that does no harm.
void add_words(std::string_view expr, std::set<std::string, std::less<>>& words) {
    for (std::size_t begin = 0; begin < expr.size();) {
        std::size_t end = begin;
        while (end < expr.size() && in_word(expr[end])) ++end;
        if (end > begin) words.emplace(expr.substr(begin, end - begin));
        begin = end + 1;
    }
}

struct Holds {
    bool holds = false;
    double value = 0;
    std::string labels;
};

Result<Holds> holds(const promql::Engine& promql, const tsdb::Querier& samples, const std::string& expr,
                    Timestamp wall) {
    TRY(const auto result, promql.instant(samples, expr, wall));
    if (const auto* scalar = std::get_if<promql::Scalar>(&result.data)) {
        return Holds{scalar->sample.value != 0, scalar->sample.value, ""};
    }
    const auto* vector = std::get_if<promql::Vector>(&result.data);
    if (vector == nullptr) return Error{Errc::InvalidArgument, "gives neither a vector nor a number"};
    if (vector->empty()) return Holds{};
    return Holds{true, vector->front().sample.value, vector->front().labels.text()};
}

}  // namespace

LocalRules::LocalRules(std::vector<LocalRule> rules) : rules_(std::move(rules)), states_(rules_.size()) {
    for (const LocalRule& rule : rules_) add_words(rule.expr, names_);
}

Result<Unit> LocalRules::check(std::string_view expr) {
    if (expr.find("__name__") != std::string_view::npos) {
        return Error{Errc::InvalidArgument, "name the metrics outright: an agent keeps only those for its rules"};
    }
    return engine().check(expr);
}

void LocalRules::append(const std::vector<tsdb::SeriesSample>& samples) {
    if (rules_.empty()) return;
    MutexLock lock(mutex_);
    for (const tsdb::SeriesSample& one : samples) {
        if (one.histogram != nullptr || names_.find(one.labels.metric()) == names_.end()) continue;
        auto found = series_.find(one.labels);
        if (found == series_.end()) {
            if (series_.size() >= kMostSeries) continue;
            found = series_.emplace(one.labels, std::deque<tsdb::Sample>()).first;
        }
        auto& kept = found->second;
        // The clock was set back: what came before would be the future.
        while (!kept.empty() && kept.back().time >= one.sample.time) kept.pop_back();
        kept.push_back(one.sample);
        if (kept.size() > kMostSamples) kept.pop_front();
    }
}

std::vector<DueAction> LocalRules::evaluate(Timestamp wall, SteadyTime steady, std::vector<std::string>& errors) {
    promql::MemoryQuerier samples;
    {
        MutexLock lock(mutex_);
        for (auto series = series_.begin(); series != series_.end();) {
            auto& kept = series->second;
            while (!kept.empty() && kept.front().time < to_millis(wall - kWindow)) kept.pop_front();
            for (const tsdb::Sample& one : kept) samples.add(series->first, one);
            series = kept.empty() ? series_.erase(series) : std::next(series);
        }
    }
    const promql::Engine promql = engine();
    std::vector<DueAction> due;
    for (std::size_t i = 0; i < rules_.size(); ++i) {
        const auto now = holds(promql, samples, rules_[i].expr, wall);
        if (!now) {
            errors.push_back(rules_[i].name + ": " + now.error().message);
            continue;
        }
        State& state = states_[i];
        if (!now->holds) {
            if (state.status == RuleStatus::Firing) due.push_back({i, true, state.value, state.labels});
            state = {};
            continue;
        }
        if (state.status == RuleStatus::Inactive) {
            state.status = RuleStatus::Pending;
            state.since = steady;
        }
        state.value = now->value;
        state.labels = now->labels;
        const bool fires = state.status == RuleStatus::Pending && steady - state.since >= rules_[i].hold_for;
        const bool again = state.status == RuleStatus::Firing && steady - state.acted >= rules_[i].repeat;
        if (!fires && !again) continue;
        state.status = RuleStatus::Firing;
        state.acted = steady;
        due.push_back({i, false, state.value, state.labels});
    }
    return due;
}

}  // namespace stoker::agent
