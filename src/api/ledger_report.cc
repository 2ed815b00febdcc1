#include "api/ledger_report.h"

#include <algorithm>
#include <cmath>

namespace stoker::api {
namespace {

constexpr const char kLedger[] = "stoker_gateway_ledger_tokens_total";
constexpr const char kWasted[] = "stoker_gateway_wasted_tokens_total";
constexpr const char kEnginePrompt[] = "llm_engine_prompt_tokens_total";
constexpr const char kEngineCompletion[] = "llm_engine_generation_tokens_total";

// How far before the stretch a sample may be from which it is counted.
constexpr std::int64_t kLookback = 5LL * 60 * 1000;
constexpr std::size_t kMostSeries = 100'000;

// What a counter that nobody has seen before stood at.
enum class Unseen : std::uint8_t {
    Zero,  // One of our own: it begins with this process.
    Given  // An engine may have worked long before it was first asked.
};

std::optional<double> increase(const tsdb::Series& series, std::int64_t from, Unseen unseen) {
    std::optional<double> last;
    std::optional<double> sum;
    const auto samples = series.samples();
    for (tsdb::Sample sample; samples->next(sample);) {
        if (std::isnan(sample.value)) continue;
        if (sample.time > from) {
            if (!last && unseen == Unseen::Zero) last = 0;
            if (last) sum = sum.value_or(0) + (sample.value >= *last ? sample.value - *last : sample.value);
        }
        last = sample.value;
    }
    return sum;
}

// Calls `found` with each series of the metric and what it rose by, if that is known.
template <typename Found>
Result<Unit> each_increase(const tsdb::Querier& querier, const char* metric, Timestamp from, Timestamp to,
                           Unseen unseen, const Found& found) {
    const std::int64_t begin = to_millis(from);
    TRY(const auto all, querier.select({{"__name__", tsdb::Matcher::Op::Equal, metric}}, begin - kLookback,
                                       to_millis(to), kMostSeries));
    for (const auto& series : all) {
        if (const auto rise = increase(*series, begin, unseen)) found(series->copy_labels(), *rise);
    }
    return Unit{};
}

class Builder {
public:
    void note_own(const tsdb::Labels& labels, double tokens) {
        ReplicaLedger& replica = of(std::string(labels.get("replica")));
        replica.pool = labels.get("pool");
        for (Ledger* ledger : {&replica.all, &replica.models[std::string(labels.get("model"))]}) {
            LedgerTokens& row = labels.get("type") == "prompt" ? ledger->prompt : ledger->completion;
            const std::string_view name = labels.get("ledger");
            if (name == "counted") row.counted += tokens;
            if (name == "unreported") row.unreported += tokens;
            if (name == "usage") (labels.get("answer") == "stream" ? row.usage_stream : row.usage_whole) += tokens;
        }
    }

    void note_engine(const tsdb::Labels& labels, double tokens, LedgerTokens Ledger::*type) {
        if (labels.get("replica").empty()) return;
        ReplicaLedger& replica = of(std::string(labels.get("replica")));
        if (replica.pool.empty()) replica.pool = labels.get("pool");
        for (Ledger* ledger : {&replica.all, &replica.own_models[std::string(labels.get("model"))]}) {
            std::optional<double>& engine = (ledger->*type).engine;
            engine = engine.value_or(0) + tokens;
        }
    }

    std::vector<ReplicaLedger> take() {
        std::vector<ReplicaLedger> replicas;
        for (auto& [id, replica] : by_id_) replicas.push_back(std::move(replica));
        return replicas;
    }

private:
    ReplicaLedger& of(const std::string& id) {
        ReplicaLedger& replica = by_id_[id];
        replica.replica = id;
        return replica;
    }

    std::map<std::string, ReplicaLedger> by_id_;
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
            if (row->engine && (more ? exceeds(*row->engine, row->known()) : exceeds(row->known(), *row->engine))) {
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
    TRY_UNIT(each_increase(querier, kLedger, from, to, Unseen::Zero,
                           [&](const tsdb::Labels& labels, double tokens) { builder.note_own(labels, tokens); }));
    TRY_UNIT(each_increase(
        querier, kEnginePrompt, from, to, Unseen::Given,
        [&](const tsdb::Labels& labels, double tokens) { builder.note_engine(labels, tokens, &Ledger::prompt); }));
    TRY_UNIT(each_increase(
        querier, kEngineCompletion, from, to, Unseen::Given,
        [&](const tsdb::Labels& labels, double tokens) { builder.note_engine(labels, tokens, &Ledger::completion); }));
    TRY_UNIT(each_increase(querier, kWasted, from, to, Unseen::Zero, [&](const tsdb::Labels& labels, double tokens) {
        if (tokens <= 0) return;
        report.waste[{std::string(labels.get("pool")), std::string(labels.get("type")),
                      std::string(labels.get("reason"))}] += tokens;
    }));
    report.replicas = builder.take();
    return report;
}

}  // namespace stoker::api
