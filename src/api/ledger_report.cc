#include "api/ledger_report.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

namespace stoker::api {
namespace {

constexpr const char kLedger[] = "stoker_gateway_ledger_tokens_total";
constexpr const char kWasted[] = "stoker_gateway_wasted_tokens_total";
constexpr const char kEnginePrompt[] = "llm_engine_prompt_tokens_total";
constexpr const char kEngineCompletion[] = "llm_engine_generation_tokens_total";

// How far before the stretch a sample may be from which it is counted.
constexpr std::int64_t kLookback = 5LL * 60 * 1000;
constexpr std::size_t kMostSeries = 100'000;

constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();

using AllSeries = std::vector<std::shared_ptr<tsdb::Series>>;

struct Stretch {
    std::int64_t from = 0;
    std::int64_t to = 0;
};

Result<AllSeries> select(const tsdb::Querier& querier, const char* metric, Stretch stretch) {
    return querier.select({{"__name__", tsdb::Matcher::Op::Equal, metric}}, stretch.from - kLookback, stretch.to,
                          kMostSeries);
}

// Times (from, to] in which an engine's counter was out of sight.
struct Gap {
    std::int64_t from = 0;
    std::int64_t to = 0;
};
using Gaps = std::vector<Gap>;

bool hidden(const Gaps& gaps, std::int64_t time) {
    return std::any_of(gaps.begin(), gaps.end(), [time](const Gap& gap) { return time > gap.from && time <= gap.to; });
}

struct OwnRise {
    double tokens = 0;
    double unseen = 0;  // Of these, in the gaps.
};

std::optional<OwnRise> own_rise(const tsdb::Series& series, std::int64_t from, const Gaps& gaps) {
    double last = 0;
    std::optional<OwnRise> rise;
    const auto samples = series.samples();
    for (tsdb::Sample sample; samples->next(sample);) {
        if (std::isnan(sample.value)) continue;
        if (sample.time > from) {
            const double step = sample.value >= last ? sample.value - last : sample.value;
            if (!rise) rise.emplace();
            rise->tokens += step;
            if (hidden(gaps, sample.time)) rise->unseen += step;
        }
        last = sample.value;
    }
    return rise;
}

std::optional<std::int64_t> first_time(const tsdb::Series& series) {
    const auto samples = series.samples();
    for (tsdb::Sample sample; samples->next(sample);) {
        if (!std::isnan(sample.value)) return sample.time;
    }
    return {};
}

// What an engine's counter is seen to move by. `first`: when the engine was first seen; a counter that came later (of
// another model) began at 0.
std::optional<double> engine_rise(const tsdb::Series& series, std::int64_t from, std::int64_t first, Gaps& gaps) {
    std::optional<double> last;
    std::optional<double> sum;
    std::int64_t last_time = first;
    bool began = false;
    bool lost = false;
    const auto samples = series.samples();
    for (tsdb::Sample sample; samples->next(sample);) {
        if (std::isnan(sample.value)) {
            lost = true;
            continue;
        }
        if (!std::exchange(began, true) && sample.time > first) last = 0;
        const bool again = last && (lost || sample.value < *last);
        if (again) gaps.push_back({last_time, sample.time});
        if (sample.time > from && last && !again) sum = sum.value_or(0) + sample.value - *last;
        lost = false;
        last = sample.value;
        last_time = sample.time;
    }
    if (lost && began) gaps.push_back({last_time, kForever});
    return sum;
}

class Builder {
public:
    void note_own(const tsdb::Labels& labels, const OwnRise& rise) {
        const double tokens = rise.tokens;
        ReplicaLedger& replica = of(std::string(labels.get("replica")));
        replica.pool = labels.get("pool");
        for (Ledger* ledger : {&replica.all, &replica.models[std::string(labels.get("model"))]}) {
            LedgerTokens& row = labels.get("type") == "prompt" ? ledger->prompt : ledger->completion;
            const std::string_view name = labels.get("ledger");
            if (name == "counted") row.counted += tokens;
            if (name == "unreported") row.unreported += tokens;
            if (name == "usage") (labels.get("answer") == "stream" ? row.usage_stream : row.usage_whole) += tokens;
            if (name != "counted") row.unseen += rise.unseen;
        }
    }

    // REQUIRES: before note_own().
    void note_engines(const AllSeries& all, LedgerTokens Ledger::*type, std::int64_t from) {
        std::map<std::string, std::int64_t> first;
        for (const auto& series : all) {
            const auto seen = first_time(*series);
            const std::string replica(series->copy_labels().get("replica"));
            if (!seen || replica.empty()) continue;
            const auto [at, added] = first.emplace(replica, *seen);
            if (!added) at->second = std::min(at->second, *seen);
        }
        for (const auto& [replica, seen] : first) {
            if (seen > from) gaps_[replica].push_back({from, seen});
        }
        for (const auto& series : all) {
            const tsdb::Labels labels = series->copy_labels();
            const auto seen = first.find(std::string(labels.get("replica")));
            if (seen == first.end()) continue;
            const auto rise = engine_rise(*series, from, seen->second, gaps_[seen->first]);
            if (rise) note_engine(labels, *rise, type);
        }
    }

    const Gaps& gaps(const std::string& replica) { return gaps_[replica]; }

    std::vector<ReplicaLedger> take() {
        std::vector<ReplicaLedger> replicas;
        for (auto& [id, replica] : by_id_) replicas.push_back(std::move(replica));
        return replicas;
    }

private:
    void note_engine(const tsdb::Labels& labels, double tokens, LedgerTokens Ledger::*type) {
        ReplicaLedger& replica = of(std::string(labels.get("replica")));
        if (replica.pool.empty()) replica.pool = labels.get("pool");
        for (Ledger* ledger : {&replica.all, &replica.own_models[std::string(labels.get("model"))]}) {
            std::optional<double>& engine = (ledger->*type).engine;
            engine = engine.value_or(0) + tokens;
        }
    }

    ReplicaLedger& of(const std::string& id) {
        ReplicaLedger& replica = by_id_[id];
        replica.replica = id;
        return replica;
    }

    std::map<std::string, ReplicaLedger> by_id_;
    std::map<std::string, Gaps> gaps_;
};

bool exceeds(double more, double less) {
    return more - less > std::max(kLedgerBound * more, kLedgerLeast);
}

}  // namespace

std::string_view to_string(Drift drift) {
    switch (drift) {
        case Drift::EngineMore:
            return "engine_more";
        case Drift::EngineLess:
            return "engine_less";
        case Drift::UsageLess:
            return "usage_less";
    }
    return "unknown";
}

std::vector<Drift> drifts_of(const Ledger& ledger) {
    std::vector<Drift> found;
    const auto engine_differs = [&](bool more) {
        for (const LedgerTokens* row : {&ledger.prompt, &ledger.completion}) {
            if (row->engine &&
                (more ? exceeds(*row->engine, row->comparable()) : exceeds(row->comparable(), *row->engine))) {
                return true;
            }
        }
        return false;
    };
    if (engine_differs(true)) found.push_back(Drift::EngineMore);
    if (engine_differs(false)) found.push_back(Drift::EngineLess);
    const LedgerTokens& made = ledger.completion;
    if (exceeds(made.counted - made.unreported, made.usage_stream)) found.push_back(Drift::UsageLess);
    return found;
}

Result<LedgerReport> report_ledgers(const tsdb::Querier& querier, Timestamp from, Timestamp to) {
    Builder builder;
    LedgerReport report;
    const Stretch stretch{to_millis(from), to_millis(to)};
    TRY(const auto prompts, select(querier, kEnginePrompt, stretch));
    TRY(const auto completions, select(querier, kEngineCompletion, stretch));
    builder.note_engines(prompts, &Ledger::prompt, stretch.from);
    builder.note_engines(completions, &Ledger::completion, stretch.from);
    TRY(const auto own, select(querier, kLedger, stretch));
    for (const auto& series : own) {
        const tsdb::Labels labels = series->copy_labels();
        const auto rise = own_rise(*series, stretch.from, builder.gaps(std::string(labels.get("replica"))));
        if (rise) builder.note_own(labels, *rise);
    }
    TRY(const auto wasted, select(querier, kWasted, stretch));
    for (const auto& series : wasted) {
        const auto rise = own_rise(*series, stretch.from, {});
        if (!rise || rise->tokens <= 0) continue;
        const tsdb::Labels labels = series->copy_labels();
        report.waste[{std::string(labels.get("pool")), std::string(labels.get("type")),
                      std::string(labels.get("reason"))}] += rise->tokens;
    }
    report.replicas = builder.take();
    return report;
}

}  // namespace stoker::api
