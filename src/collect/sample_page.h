// The samples of a source that gives the same series in the same order round after round, as most do.
//
// A series is put together once; as long as a round gives what the one before gave, only values and times are replaced:
// nothing is allocated, sorted or hashed. What was there the round before and is not any more (a container, a mount
// point) gets a staleness marker. Not thread-safe.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collect/sample_sink.h"

namespace stoker::collect {

enum class MetricType : std::uint8_t { Counter, Gauge, Unknown };

// A metric's name, type and help. The texts are read while add() runs.
struct MetricFamily {
    std::string_view name;
    MetricType type = MetricType::Gauge;
    std::string_view help;
};

class SamplePage {
public:
    using Label = std::pair<std::string_view, std::string_view>;

    // `common` are on every sample.
    explicit SamplePage(SampleBatch::Pairs common = {}) : common_(std::move(common)) {}

    void begin(Timestamp now);

    // One sample of the round. Labels with an empty value are left out. REQUIRES: each series once a round.
    void add(const MetricFamily& family, std::span<const Label> labels, double value);
    void add(const MetricFamily& family, std::initializer_list<Label> labels, double value) {
        add(family, std::span<const Label>(labels.begin(), labels.size()), value);
    }
    void add(const MetricFamily& family, double value) { add(family, std::span<const Label>{}, value); }

    // Ends the round: its samples, markers for what is gone, and metadata of families seen for the first time.
    void finish(SampleSink& sink);

    // The samples of the round so far.
    std::span<const tsdb::SeriesSample> samples() const { return {samples_.data(), at_}; }
    std::size_t memory_bytes() const;

private:
    void diverge();
    std::vector<tsdb::SeriesSample> markers() const;

    const SampleBatch::Pairs common_;
    std::int64_t time_ = 0;
    // Entries before at_ are of this round, those behind it of the round before.
    std::vector<tsdb::SeriesSample> samples_;
    std::vector<std::string> keys_;  // What add() was called with, for each entry.
    std::size_t at_ = 0;
    std::vector<tsdb::Labels> replaced_;  // Series of the round before that stood where others stand now.
    std::set<std::string, std::less<>> described_;
    std::vector<tsdb::FamilyMetadata> metadata_;  // Not passed on yet.
};

}  // namespace stoker::collect
