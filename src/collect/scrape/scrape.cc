#include "collect/scrape/scrape.h"

#include <algorithm>
#include <functional>
#include <utility>

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

}  // namespace

Scrape::Scrape(SampleBatch::Pairs target, ScrapeLimits limits, ScrapeRules rules)
    : target_(std::move(target)), limits_(limits), rules_(rules) {}

void Scrape::set_target(SampleBatch::Pairs target) {
    if (target == target_) return;
    target_ = std::move(target);
    // Under another key, so that they are not found again and end as unseen.
    std::unordered_map<std::string, Known> old;
    for (auto& [key, known] : known_)
        old.emplace(std::string(1, '\0') + std::to_string(round_) + key, std::move(known));
    known_ = std::move(old);
}

Scrape::Known& Scrape::series_of(std::string_view name, SampleBatch::Pairs labels) {
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
        found->second.labels = tsdb::Labels(std::move(labels));
    }
    found->second.seen = round_;
    return found->second;
}

void Scrape::append(std::string_view name, SampleBatch::Pairs labels, double value, std::int64_t time,
                    std::vector<tsdb::SeriesSample>& out) {
    out.push_back({series_of(name, std::move(labels)).labels, {time, value}});
}

Result<std::size_t> Scrape::scraped(std::string_view text, PageFormat format, Timestamp now, ElapsedTime took,
                                    Scraped& out) {
    const std::int64_t time = to_millis(now);
    TRY(ScrapePage page, read_page(text, format, time, limits_));
    ++round_;
    out.samples.reserve(out.samples.size() + page.samples.size());
    for (ScrapePage::Sample& sample : page.samples) {
        Known& series = series_of(sample.name, std::move(sample.labels));
        const std::int64_t at = rules_.honor_timestamps ? sample.time : time;
        out.samples.push_back({series.labels, {at, sample.value}, std::move(sample.histogram), sample.start_time});
        if (sample.exemplars.empty()) continue;
        const std::size_t hash = hash_of(sample.exemplars, sample.time);
        if (std::exchange(series.exemplar, hash) != hash) {
            out.exemplars.push_back({series.labels, std::move(sample.exemplars)});
        }
    }
    for (auto& value : page.canonical.values()) {
        append(value.name, std::move(value.labels), value.value, time, out.samples);
    }
    append_own(true, true, took, page.samples.size(), time, out.samples);
    end_unseen(time, out.samples);
    describe(std::move(page.metadata), out.metadata);
    return page.samples.size();
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
    append_own(true, true, took, 0, to_millis(now), out);
    end_unseen(to_millis(now), out);
}

void Scrape::failed(bool answered, Timestamp now, ElapsedTime took, std::vector<tsdb::SeriesSample>& out) {
    ++round_;
    append_own(false, answered, took, 0, to_millis(now), out);
    end_unseen(to_millis(now), out);
}

void Scrape::ended(Timestamp now, std::vector<tsdb::SeriesSample>& out) {
    ++round_;
    end_unseen(to_millis(now), out);
}

void Scrape::append_own(bool up, bool engine_up, ElapsedTime took, std::size_t samples, std::int64_t time,
                        std::vector<tsdb::SeriesSample>& out) {
    append("up", {}, up ? 1 : 0, time, out);
    append("llm_engine_up", {}, engine_up ? 1 : 0, time, out);
    append("scrape_duration_seconds", {}, std::chrono::duration<double>(took).count(), time, out);
    append("scrape_samples_scraped", {}, static_cast<double>(samples), time, out);
}

void Scrape::end_unseen(std::int64_t time, std::vector<tsdb::SeriesSample>& out) {
    for (auto known = known_.begin(); known != known_.end();) {
        if (known->second.seen == round_) {
            ++known;
            continue;
        }
        out.push_back({std::move(known->second.labels), {time, tsdb::stale_marker()}});
        known = known_.erase(known);
    }
}

}  // namespace stoker::collect
