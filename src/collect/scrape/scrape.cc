#include "collect/scrape/scrape.h"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "collect/discovery/relabel.h"
#include "collect/engine/canonical.h"
#include "collect/gpu/ascend.h"
#include "tsdb/querier.h"

namespace stoker::collect {

namespace {

// Of what the page says of them: those without a time of their own have the sample's.
std::size_t hash_of(const std::vector<tsdb::Exemplar>& exemplars, std::int64_t sample_time) {
    std::size_t hash = 1;
    for (const tsdb::Exemplar& one : exemplars) {
        const std::int64_t time = one.time == sample_time ? 0 : one.time;
        for (const std::size_t part : {static_cast<std::size_t>(one.labels.hash()), std::hash<double>{}(one.value),
                                       std::hash<std::int64_t>{}(time)}) {
            hash = hash * 31 + part;
        }
    }
    return hash;
}

// Until the kind is known; one for all.
std::shared_ptr<const CanonicalPlan> plan_of_unknown() {
    static const auto plan = CanonicalPlan::make(Adapters::built_in(), "", "");
    return plan;
}

}  // namespace

Scrape::Scrape(SampleBatch::Pairs target, ScrapeLimits limits, ScrapeRules rules)
    : target_(std::move(target)), limits_(limits), rules_(rules), plan_(plan_of_unknown()) {
    inspector_.set_engine(plan_, nullptr, {});
}

void Scrape::set_engine(std::shared_ptr<const CanonicalPlan> plan, const Adapter* adapter, EngineIdentity identity) {
    plan_ = std::move(plan);
    identity_ = std::move(identity);
    inspector_.set_engine(plan_, adapter, identity_);
}

void Scrape::set_target(SampleBatch::Pairs target) {
    if (target == target_) return;
    target_ = std::move(target);
    // Under another key, so that they are not found again and end as unseen.
    std::unordered_map<std::string, Known> old;
    for (auto& [key, known] : known_)
        old.emplace(std::string(1, '\0') + std::to_string(round_) + key, std::move(known));
    known_ = std::move(old);
}

tsdb::Labels Scrape::relabelled(SampleBatch::Pairs labels) const {
    LabelMap changed;
    for (auto& [name, value] : labels) set_label(changed, name, std::move(value));
    if (!rules_.relabel->apply(changed)) return {};
    std::erase_if(changed,
                  [](const auto& one) { return one.first.starts_with("__") && one.first != tsdb::kMetricName; });
    if (!changed.contains(tsdb::kMetricName)) return {};
    return tsdb::Labels(SampleBatch::Pairs(changed.begin(), changed.end()));
}

Scrape::Known& Scrape::series_of(std::string_view name, SampleBatch::Pairs labels, From from) {
    std::string key(name);
    for (const auto& [label, value] : labels) key.append(1, '\1').append(label).append(1, '\1').append(value);
    auto [found, fresh] = known_.try_emplace(std::move(key));
    if (fresh) {
        const std::size_t exposed = labels.size();
        for (const auto& own : target_) {
            const auto end = labels.begin() + static_cast<std::ptrdiff_t>(exposed);
            const auto clash = std::find_if(labels.begin(), end, [&](const auto& l) { return l.first == own.first; });
            if (clash != end && rules_.honor_labels) continue;
            if (clash != end) clash->first = "exported_" + own.first;
            labels.push_back(own);
        }
        labels.emplace_back(std::string(tsdb::kMetricName), std::string(name));
        const bool relabel = from == From::Page && rules_.relabel != nullptr && !rules_.relabel->empty();
        found->second.labels = relabel ? relabelled(std::move(labels)) : tsdb::Labels(std::move(labels));
        found->second.first = round_;
    }
    found->second.seen = round_;
    return found->second;
}

void Scrape::append(std::string_view name, SampleBatch::Pairs labels, double value, std::int64_t time,
                    std::vector<tsdb::SeriesSample>& out) {
    out.push_back({series_of(name, std::move(labels), From::Scraper).labels, {time, value}});
}

Result<std::size_t> Scrape::scraped(std::string_view text, PageFormat format, Timestamp now, ElapsedTime took,
                                    Scraped& out, std::optional<GatewayCount> gateway) {
    const std::int64_t time = to_millis(now);
    TRY(ScrapePage page, read_page(text, format, time, limits_));
    ++round_;
    const auto values = canonical_values(page);
    inspector_.look(page, values, gateway);
    const auto npus = ascend_samples(page.samples);
    auto counts = append_page(std::move(page.samples), time, out);
    if (!counts) {
        forget_round();
        return std::move(counts).error();
    }
    engine_ = engine_ || !values.empty();
    for (const auto& value : values) append(value.name, value.labels, value.value, time, out.samples);
    append_findings(time, out.samples);
    for (const auto& npu : npus) append(npu.name, npu.labels, npu.value, time, out.samples);
    append_identity(time, out.samples);
    append_own(true, true, took, *counts, time, out.samples);
    end_unseen(time, out.samples);
    describe(std::move(page.metadata), out.metadata);
    return counts->samples;
}

void Scrape::forget_round() {
    std::erase_if(known_, [this](const auto& one) { return one.second.first == round_; });
}

Result<Scrape::Counts> Scrape::append_page(std::vector<ScrapePage::Sample> samples, std::int64_t time, Scraped& out) {
    Counts counts{.samples = samples.size()};
    out.samples.reserve(out.samples.size() + samples.size());
    for (ScrapePage::Sample& sample : samples) {
        Known& series = series_of(sample.name, std::move(sample.labels), From::Page);
        if (series.labels.empty()) continue;
        ++counts.kept;
        if (series.first == round_) ++counts.added;
        const std::int64_t at = rules_.honor_timestamps ? sample.time : time;
        out.samples.push_back({series.labels, {at, sample.value}, std::move(sample.histogram), sample.start_time});
        if (sample.exemplars.empty()) continue;
        const std::size_t hash = hash_of(sample.exemplars, sample.time);
        if (std::exchange(series.exemplar, hash) != hash) {
            out.exemplars.push_back({series.labels, std::move(sample.exemplars)});
        }
    }
    if (rules_.sample_limit > 0 && counts.kept > rules_.sample_limit) {
        return Error{Errc::ResourceExhausted, "the page has " + std::to_string(counts.kept) +
                                                  " samples after relabelling, sample_limit is " +
                                                  std::to_string(rules_.sample_limit)};
    }
    return counts;
}

std::vector<Canonical::Value> Scrape::canonical_values(const ScrapePage& page) const {
    Canonical canonical(plan_);
    for (const ScrapePage::Sample& sample : page.samples) {
        if (!sample.histogram) canonical.add(sample.name, sample.labels, sample.value);
    }
    return canonical.values();
}

void Scrape::append_findings(std::int64_t time, std::vector<tsdb::SeriesSample>& out) {
    // One code may be found of several metrics: one series says that it was, the API says of which.
    std::map<std::string_view, Severity> worst;
    for (const Finding& finding : inspector_.findings()) {
        const auto [found, fresh] = worst.try_emplace(to_string(finding.code), finding.severity);
        if (!fresh) found->second = std::max(found->second, finding.severity);
    }
    for (const auto& [code, severity] : worst) {
        append("stoker_engine_finding",
               {{"finding", std::string(code)}, {"severity", std::string(to_string(severity))}}, 1, time, out);
    }
}

void Scrape::describe(std::vector<tsdb::FamilyMetadata> page, std::vector<tsdb::FamilyMetadata>& out) {
    constexpr std::size_t kMost = 100'000;
    if (described_.size() > kMost) described_.clear();
    for (auto& family : page) {
        const auto& told = family.metadata;
        const std::size_t hash = std::hash<std::string>{}(told.type + '\0' + told.unit + '\0' + told.help);
        auto [known, fresh] = described_.try_emplace(family.family, hash);
        if (!fresh && known->second == hash) continue;
        known->second = hash;
        out.push_back(std::move(family));
    }
}

void Scrape::answered(Timestamp now, ElapsedTime took, std::vector<tsdb::SeriesSample>& out) {
    ++round_;
    append_identity(to_millis(now), out);
    append_own(true, true, took, {}, to_millis(now), out);
    end_unseen(to_millis(now), out);
}

void Scrape::failed(bool answered, Timestamp now, ElapsedTime took, std::vector<tsdb::SeriesSample>& out) {
    ++round_;
    append_findings(to_millis(now), out);
    append_own(false, answered, took, {}, to_millis(now), out);
    end_unseen(to_millis(now), out);
}

void Scrape::ended(Timestamp now, std::vector<tsdb::SeriesSample>& out) {
    ++round_;
    end_unseen(to_millis(now), out);
}

void Scrape::append_own(bool up, bool engine_up, ElapsedTime took, Counts counts, std::int64_t time,
                        std::vector<tsdb::SeriesSample>& out) {
    append("up", {}, up ? 1 : 0, time, out);
    const bool engine = rules_.own == OwnSeries::Engine || engine_;
    if (engine) append("llm_engine_up", {}, engine_up ? 1 : 0, time, out);
    append("scrape_duration_seconds", {}, std::chrono::duration<double>(took).count(), time, out);
    append("scrape_samples_scraped", {}, static_cast<double>(counts.samples), time, out);
    if (rules_.own == OwnSeries::Engine) return;
    append("scrape_samples_post_metric_relabeling", {}, static_cast<double>(counts.kept), time, out);
    append("scrape_series_added", {}, static_cast<double>(counts.added), time, out);
}

void Scrape::append_identity(std::int64_t time, std::vector<tsdb::SeriesSample>& out) {
    constexpr std::size_t kMostModels = 50;  // Adapters of a base model can be many; one line each says enough.
    if (identity_.kind.empty()) return;
    SampleBatch::Pairs info = {{"version", identity_.version},
                               {"quantization", identity_.quantization},
                               {"dtype", identity_.dtype},
                               {"source", std::string(kNative)}};
    std::erase_if(info, [](const auto& label) { return label.second.empty(); });
    std::vector<std::string> models(
        identity_.models.begin(),
        identity_.models.begin() + static_cast<std::ptrdiff_t>(std::min(kMostModels, identity_.models.size())));
    if (models.empty()) models.emplace_back();
    for (const std::string& model : models) {
        SampleBatch::Pairs labels = info;
        if (!model.empty()) labels.emplace_back("model", model);
        append("llm_engine_info", std::move(labels), 1, time, out);
    }
    if (identity_.context_length <= 0) return;
    append("llm_engine_context_length_tokens", {{"source", std::string(kNative)}},
           static_cast<double>(identity_.context_length), time, out);
}

void Scrape::end_unseen(std::int64_t time, std::vector<tsdb::SeriesSample>& out) {
    for (auto known = known_.begin(); known != known_.end();) {
        if (known->second.seen == round_) {
            ++known;
            continue;
        }
        if (!known->second.labels.empty()) {
            out.push_back({std::move(known->second.labels), {time, tsdb::stale_marker()}});
        }
        known = known_.erase(known);
    }
}

}  // namespace stoker::collect
