#include "collect/program/exposed_pages.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "tsdb/querier.h"
#include "wire/prometheus_text.h"

namespace stoker::collect {
namespace {

constexpr std::size_t kMostFamilies = 100'000;  // Whose metadata is remembered as told.

void describe_one(const wire::ExpositionMetadata& line, std::vector<tsdb::FamilyMetadata>& families) {
    // TYPE and HELP of a family stand together.
    if (families.empty() || families.back().family != line.family) {
        families.push_back({std::string(line.family), {}});
    }
    tsdb::MetricMetadata& out = families.back().metadata;
    switch (line.kind) {
        case wire::ExpositionMetadata::Kind::Type:
            out.type = line.text == "untyped" ? "unknown" : line.text;
            break;
        case wire::ExpositionMetadata::Kind::Help:
            out.help = line.text;
            break;
        case wire::ExpositionMetadata::Kind::Unit:
            out.unit = line.text;
            break;
    }
}

}  // namespace

void ExposedPages::begin(Timestamp now) {
    ++round_;
    time_ = to_millis(now);
    samples_.clear();
    metadata_.clear();
}

tsdb::Labels ExposedPages::labels_of(std::string_view name, SampleBatch::Pairs labels) const {
    const std::size_t exposed = labels.size();
    for (const auto& own : common_) {
        const auto end = labels.begin() + static_cast<std::ptrdiff_t>(exposed);
        const auto clash = std::find_if(labels.begin(), end, [&](const auto& l) { return l.first == own.first; });
        if (clash != end) clash->first = "exported_" + own.first;
        labels.push_back(own);
    }
    labels.emplace_back(std::string(tsdb::kMetricName), std::string(name));
    return tsdb::Labels(std::move(labels));
}

Result<Unit> ExposedPages::check(std::string_view name, const SampleBatch::Pairs& labels) const {
    const LabelLimits& limits = limits_.labels;
    const auto refuse = [&](const std::string& why) {
        return Error{Errc::ResourceExhausted, std::string(name.substr(0, 200)) + ": " + why};
    };
    if (labels.size() + 1 > limits.max_labels) {
        return refuse("more than " + std::to_string(limits.max_labels) + " labels");
    }
    if (name.size() > limits.max_value_bytes) return refuse("the name is too long");
    for (const auto& [key, value] : labels) {
        if (key.size() > limits.max_name_bytes) return refuse("a label's name is too long");
        if (value.size() > limits.max_value_bytes) return refuse("the value of " + key + " is too long");
    }
    return Unit{};
}

Result<std::size_t> ExposedPages::add(std::string_view page, PageTimes times) {
    std::vector<tsdb::SeriesSample> read;
    std::vector<tsdb::FamilyMetadata> families;
    std::optional<Error> refused;
    wire::ExpositionVisitor visitor;
    visitor.on_metadata = [&](const wire::ExpositionMetadata& line) { describe_one(line, families); };
    visitor.on_sample = [&](const wire::ExpositionSample& sample) {
        if (refused) return;
        SampleBatch::Pairs labels(sample.labels.begin(), sample.labels.end());
        if (auto fits = check(sample.name, labels); !fits) refused = std::move(fits).error();
        if (sample.time_ms && times == PageTimes::Refused) {
            refused = Error{Errc::InvalidArgument, std::string(sample.name) +
                                                       " has a time of its own, which is not for files: they are read "
                                                       "again and again"};
        }
        read.push_back({labels_of(sample.name, std::move(labels)), {sample.time_ms.value_or(time_), sample.value}});
    };
    const std::size_t room = limits_.max_samples - std::min(limits_.max_samples, samples_.size());
    TRY(const std::size_t count, wire::parse_exposition(page, wire::ExpositionFormat::Prometheus, visitor,
                                                        {.max_samples = std::max<std::size_t>(room, 1)}));
    if (count > room) return Error{Errc::ResourceExhausted, "more samples than may be"};
    // Whole or not at all: what is there already is looked for before anything is noted.
    std::unordered_map<tsdb::Labels, std::uint64_t> fresh;
    for (const auto& sample : read) {
        if (refused) break;
        const auto known = series_.find(sample.labels);
        const bool twice = known != series_.end() && known->second == round_;
        if (twice || !fresh.try_emplace(sample.labels, round_).second) {
            refused = Error{Errc::InvalidArgument, sample.labels.text() + " is there twice"};
        }
    }
    if (refused) return *std::move(refused);
    for (auto& [labels, round] : fresh) series_[labels] = round;
    samples_.insert(samples_.end(), std::make_move_iterator(read.begin()), std::make_move_iterator(read.end()));
    describe(std::move(families));
    return count;
}

void ExposedPages::add(std::string_view name, SampleBatch::Pairs labels, double value) {
    tsdb::Labels all = labels_of(name, std::move(labels));
    series_[all] = round_;
    samples_.push_back({std::move(all), {time_, value}});
}

void ExposedPages::describe(std::vector<tsdb::FamilyMetadata> page) {
    if (described_.size() > kMostFamilies) described_.clear();
    for (auto& family : page) {
        const auto& told = family.metadata;
        const std::size_t hash = std::hash<std::string>{}(told.type + '\0' + told.unit + '\0' + told.help);
        auto [known, fresh] = described_.try_emplace(family.family, hash);
        if (!fresh && std::exchange(known->second, hash) == hash) continue;
        metadata_.push_back(std::move(family));
    }
}

void ExposedPages::finish(SampleSink& sink) {
    for (auto known = series_.begin(); known != series_.end();) {
        if (known->second == round_) {
            ++known;
            continue;
        }
        samples_.push_back({known->first, {time_, tsdb::stale_marker()}});
        known = series_.erase(known);
    }
    if (!metadata_.empty()) sink.set_metadata(metadata_);
    sink.append(samples_);
    samples_.clear();
    metadata_.clear();
}

}  // namespace stoker::collect
