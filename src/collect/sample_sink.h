// Where collected samples go, and how a batch of them is put together.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "tsdb/labels.h"
#include "tsdb/store.h"

namespace stoker::collect {

// How long something took, finer than Duration: a page on loopback takes less than a millisecond.
using ElapsedTime = std::chrono::nanoseconds;

// Called on the collector's loop with one batch a source and round: must not wait for long.
class SampleSink {
public:
    virtual ~SampleSink() = default;
    virtual void append(const std::vector<tsdb::SeriesSample>& samples) = 0;
    // Of series that append() was given before.
    virtual void append_exemplars(const std::vector<tsdb::SeriesExemplars>& /*exemplars*/) {}
    virtual void set_metadata(const std::vector<tsdb::FamilyMetadata>& /*metadata*/) {}
};

// Samples of one moment with labels in common. Not thread-safe.
class SampleBatch {
public:
    using Pairs = std::vector<tsdb::Labels::Pair>;

    explicit SampleBatch(Timestamp time, Pairs common = {}) : time_(to_millis(time)), common_(std::move(common)) {}

    void add(std::string_view name, Pairs labels, double value) {
        labels.insert(labels.end(), common_.begin(), common_.end());
        labels.emplace_back(std::string(tsdb::kMetricName), std::string(name));
        samples_.push_back({tsdb::Labels(std::move(labels)), {time_, value}});
    }
    void add(std::string_view name, double value) { add(name, {}, value); }

    const std::vector<tsdb::SeriesSample>& samples() const { return samples_; }

private:
    std::int64_t time_;
    Pairs common_;
    std::vector<tsdb::SeriesSample> samples_;
};

}  // namespace stoker::collect
