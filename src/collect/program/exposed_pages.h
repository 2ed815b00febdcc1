// What programs and files expose in Prometheus' text format, from round to round: pages put together into one batch
// with labels in common, metadata told once, and series that are gone ended with a staleness marker.
//
// A page goes in whole or not at all. Sans-I/O; not thread-safe.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "collect/sample_sink.h"
#include "collect/scrape/label_limits.h"

namespace stoker::collect {

struct PageLimits {
    std::size_t max_samples = 100'000;  // Of all pages of a round.
    LabelLimits labels;
};

enum class PageTimes : std::uint8_t { Taken, Refused };  // Of samples that bring a time of their own.

class ExposedPages {
public:
    // `common` are labels of every series; one of the page with the same name is kept as exported_NAME.
    ExposedPages(SampleBatch::Pairs common, PageLimits limits) : common_(std::move(common)), limits_(limits) {}

    void begin(Timestamp now);
    // Adds a page; returns its samples. Errors: InvalidArgument (no page, a time where none may be, a series that
    // another page or line has already), ResourceExhausted (more samples or labels than may be).
    Result<std::size_t> add(std::string_view page, PageTimes times);
    // Adds a sample of our own.
    void add(std::string_view name, SampleBatch::Pairs labels, double value);
    // Hands all over, with the ends of what was in the round before and is not in this one.
    void finish(SampleSink& sink);

private:
    tsdb::Labels labels_of(std::string_view name, SampleBatch::Pairs labels) const;
    Result<Unit> check(std::string_view name, const SampleBatch::Pairs& labels) const;
    void describe(std::vector<tsdb::FamilyMetadata> page);

    const SampleBatch::Pairs common_;
    const PageLimits limits_;
    std::unordered_map<tsdb::Labels, std::uint64_t> series_;  // And the round that had it last.
    std::unordered_map<std::string, std::size_t> described_;  // Hash of each family's metadata.
    std::vector<tsdb::SeriesSample> samples_;                 // Of this round, and below.
    std::vector<tsdb::FamilyMetadata> metadata_;
    std::int64_t time_ = 0;
    std::uint64_t round_ = 0;
};

}  // namespace stoker::collect
