// What reads samples: the interface between the store and whatever evaluates over it (PromQL, detectors, export).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tsdb/histogram.h"
#include "tsdb/labels.h"

namespace stoker::tsdb {

struct Sample {
    std::int64_t time = 0;  // Milliseconds since 1970.
    double value = 0;
    friend bool operator==(const Sample&, const Sample&) = default;
};

// Prometheus' staleness marker: a NaN with this exact bit pattern ends a series.
inline constexpr std::uint64_t kStaleBits = 0x7ff0000000000002ULL;
bool is_stale(double value);
double stale_marker();

struct Matcher {
    enum class Op : std::uint8_t { Equal, NotEqual, Regex, NotRegex };
    std::string name;
    Op op = Op::Equal;
    std::string value;  // Regular expressions are RE2, anchored at both ends.
};

// A sample whose value is a histogram has this NaN for a value, and its histogram beside it. Nothing from outside
// carries it: the store turns it into an ordinary NaN on the way in.
inline constexpr std::uint64_t kHistogramBits = 0x7ff0000000000003ULL;
bool is_histogram(double value);
double histogram_marker();

// Some consecutive samples. `histograms` is empty where all of them are numbers, and otherwise as long as `samples`.
// `starts` is empty where nothing is known of when their counters began, as is so of all that the store keeps, and
// otherwise as long as `samples`: Unix milliseconds, 0 for a sample of which it is not known.
struct SampleBlock {
    std::span<const Sample> samples;
    std::span<const HistogramPtr> histograms;
    std::span<const std::int64_t> starts = {};
};

// One pass over a series' samples in ascending time.
class SampleIterator {
public:
    virtual ~SampleIterator() = default;

    // The next samples, a chunk's worth at a time; empty at the end. Valid until the following call.
    virtual SampleBlock next_block() = 0;

    // Why the walk ended before the last sample, if it did: part of the series could not be read.
    virtual Result<Unit> status() const { return Unit{}; }

    // One by one, for callers in no hurry: false at the end. Not to be mixed with next_block().
    bool next(Sample& sample);
    // The histogram of the sample that next() gave; null for a number. Valid until the following next().
    const HistogramPtr& histogram() const;

private:
    SampleBlock block_;
    std::size_t at_ = 0;
};

// What a series did during (start, start + resolution]: enough to answer functions of whole such stretches exactly.
struct Rollup {
    std::int64_t start = 0;
    std::int64_t first_time = 0;
    std::int64_t last_time = 0;
    double first = 0;
    double last = 0;
    double sum = 0;
    double min = 0;
    double max = 0;
    double increase = 0;  // From first to last as a counter: what was lost at resets is added back.
    std::uint32_t count = 0;
};

inline constexpr std::int64_t kShortRollup = 5LL * 60 * 1000;
inline constexpr std::int64_t kLongRollup = 3600LL * 1000;

class Series {
public:
    virtual ~Series() = default;
    virtual const Labels& labels() const = 0;
    // Samples with start <= time <= end of the select() that returned this series. May be called again.
    virtual std::unique_ptr<SampleIterator> samples() const = 0;

    // Appends the rollups of `resolution` that lie in the select()'s range whole, ascending; stretches without samples
    // have none. False, and nothing appended, if they can't stand for the samples there (none were made yet, histograms
    // or staleness markers among the samples, tombstones).
    virtual bool rollups(std::int64_t /*resolution*/, std::int64_t /*start*/, std::int64_t /*end*/,
                         std::vector<Rollup>& /*out*/) const {
        return false;
    }
};

// Thread-safe; what it returns is a consistent view and outlives later appends.
class Querier {
public:
    virtual ~Querier() = default;

    // Series that match all matchers and may have samples in [start, end], sorted by labels.
    // Errors: InvalidArgument (a bad regular expression), ResourceExhausted (more than `series_limit`; 0: no limit).
    virtual Result<std::vector<std::shared_ptr<Series>>> select(const std::vector<Matcher>& matchers,
                                                                std::int64_t start, std::int64_t end,
                                                                std::size_t series_limit) const = 0;

    virtual Result<std::vector<std::string>> label_names(const std::vector<Matcher>& matchers, std::int64_t start,
                                                         std::int64_t end) const = 0;
    virtual Result<std::vector<std::string>> label_values(const std::string& name, const std::vector<Matcher>& matchers,
                                                          std::int64_t start, std::int64_t end) const = 0;
};

}  // namespace stoker::tsdb
