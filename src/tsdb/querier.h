// What reads samples: the interface between the store and whatever evaluates over it (PromQL, detectors, export).
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
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

// What a series did during (start, end]: enough to answer functions of whole such stretches exactly. Staleness markers
// are no samples here.
struct Rollup {
    std::int64_t start = 0;
    std::int64_t end = 0;
    std::int64_t first_time = 0;
    std::int64_t last_time = 0;
    double first = 0;
    double last = 0;
    double sum = 0;  // Rounded once: within one ulp of the exact sum unless values cancel out.
    double min = 0;  // NaN only where there is nothing else, as for min_over_time().
    double max = 0;
    // For counters: the sum of the values just before each fall, so that last - first + lost is the increase. NaN if
    // the series falls so often that it is none, and this was not kept.
    double lost = 0;
    std::uint32_t count = 0;
};

// Adds what comes after. REQUIRES: both have samples, `later` only such as are after those of `rollup`.
void extend(Rollup& rollup, const Rollup& later);

inline constexpr std::int64_t kShortRollup = 5LL * 60 * 1000;
inline constexpr std::int64_t kLongRollup = 3600LL * 1000;

class Series {
public:
    virtual ~Series() = default;
    virtual const Labels& labels() const = 0;
    // The same as pointers to texts that live as long as the series, in order. Within one select() equal labels mostly
    // are the same pointers. Empty: only labels() tells them.
    virtual std::span<const LabelRef> label_refs() const { return {}; }
    // The same by value.
    virtual Labels copy_labels() const { return labels(); }
    virtual std::string_view metric() const { return labels().metric(); }
    // Samples with start <= time <= end of the select() that returned this series. May be called again.
    virtual std::unique_ptr<SampleIterator> samples() const = 0;
    // The same with what a walk that is over, over a series of the same querier, needed; it may be null.
    virtual std::unique_ptr<SampleIterator> walk(std::unique_ptr<SampleIterator> /*over*/) const { return samples(); }

    // The part of samples() in [start, end].
    virtual std::unique_ptr<SampleIterator> samples_between(std::int64_t start, std::int64_t end) const;

    // Appends rollups of the stretches (t, t + resolution] from `start` on, ascending; stretches without samples have
    // none. Returns the time up to which they stand for all samples, at most `end`: `start` if none were made, or where
    // the first stretch with deleted samples, histograms, or samples that came later begins. Up to raw_since() they may
    // be coarser, and are all there is. REQUIRES: both times are multiples of the resolution and in the select()'s
    // range.
    virtual std::int64_t rollups(std::int64_t /*resolution*/, std::int64_t start, std::int64_t /*end*/,
                                 std::vector<Rollup>& /*out*/) const {
        return start;
    }
    // Samples up to this time are gone; what samples() gives for them is each rollup's last one.
    virtual std::int64_t raw_since() const { return std::numeric_limits<std::int64_t>::min(); }
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
    // The same for a caller who asks for rollups() first, and for few samples: none are read ahead.
    virtual Result<std::vector<std::shared_ptr<Series>>> select_for_rollups(const std::vector<Matcher>& matchers,
                                                                            std::int64_t start, std::int64_t end,
                                                                            std::size_t series_limit) const {
        return select(matchers, start, end, series_limit);
    }

    virtual Result<std::vector<std::string>> label_names(const std::vector<Matcher>& matchers, std::int64_t start,
                                                         std::int64_t end) const = 0;
    virtual Result<std::vector<std::string>> label_values(const std::string& name, const std::vector<Matcher>& matchers,
                                                          std::int64_t start, std::int64_t end) const = 0;
};

}  // namespace stoker::tsdb
