#include "collect/sample_page.h"

#include <algorithm>
#include <unordered_set>

#include "tsdb/querier.h"

namespace stoker::collect {
namespace {

constexpr char kEnd = '\xff';  // Stands in no UTF-8 text.

// Whether `key` is that of these.
bool is_key(std::string_view key, std::string_view name, std::span<const SamplePage::Label> labels) {
    const auto eat = [&key](std::string_view part) {
        const bool same = key.size() > part.size() && key.starts_with(part) && key[part.size()] == kEnd;
        if (same) key.remove_prefix(part.size() + 1);
        return same;
    };
    if (!eat(name)) return false;
    for (const auto& [label, value] : labels) {
        if (!eat(label) || !eat(value)) return false;
    }
    return key.empty();
}

std::string key_of(std::string_view name, std::span<const SamplePage::Label> labels) {
    std::string key(name);
    key += kEnd;
    for (const auto& [label, value] : labels) {
        key += label;
        key += kEnd;
        key += value;
        key += kEnd;
    }
    return key;
}

std::string_view type_name(MetricType type) {
    switch (type) {
        case MetricType::Counter:
            return "counter";
        case MetricType::Gauge:
            return "gauge";
        case MetricType::Unknown:
            break;
    }
    return "unknown";
}

}  // namespace

void SamplePage::begin(Timestamp now) {
    time_ = to_millis(now);
    at_ = 0;
}

void SamplePage::add(const MetricFamily& family, std::span<const Label> labels, double value) {
    if (at_ < samples_.size() && is_key(keys_[at_], family.name, labels)) {
        samples_[at_++].sample = {time_, value};
        return;
    }
    diverge();
    SampleBatch::Pairs pairs;
    pairs.reserve(labels.size() + common_.size() + 1);
    for (const auto& [name, text] : labels) pairs.emplace_back(name, text);
    pairs.insert(pairs.end(), common_.begin(), common_.end());
    pairs.emplace_back(tsdb::kMetricName, family.name);
    samples_.push_back({tsdb::Labels(std::move(pairs)), {time_, value}});
    keys_.push_back(key_of(family.name, labels));
    ++at_;
    if (described_.contains(family.name)) return;
    described_.emplace(family.name);
    metadata_.push_back(
        {std::string(family.name), {std::string(type_name(family.type)), std::string(family.help), ""}});
}

// From here on the round before is of no use.
void SamplePage::diverge() {
    for (std::size_t i = at_; i < samples_.size(); ++i) replaced_.push_back(std::move(samples_[i].labels));
    samples_.resize(at_);
    keys_.resize(at_);
}

std::vector<tsdb::SeriesSample> SamplePage::markers() const {
    std::unordered_set<tsdb::Labels> there;
    for (const auto& sample : samples_) there.insert(sample.labels);
    std::vector<tsdb::SeriesSample> out;
    for (const auto& labels : replaced_) {
        if (!there.contains(labels)) out.push_back({labels, {time_, tsdb::stale_marker()}});
    }
    return out;
}

void SamplePage::finish(SampleSink& sink) {
    diverge();
    if (!metadata_.empty()) sink.set_metadata(std::exchange(metadata_, {}));
    sink.append(samples_);
    if (replaced_.empty()) return;
    const auto gone = markers();
    replaced_.clear();
    if (!gone.empty()) sink.append(gone);
}

std::size_t SamplePage::memory_bytes() const {
    std::size_t bytes = samples_.capacity() * (sizeof(tsdb::SeriesSample) + sizeof(std::string));
    for (const auto& key : keys_) bytes += 2 * key.size();  // Once as the key, once as labels.
    return bytes;
}

}  // namespace stoker::collect
