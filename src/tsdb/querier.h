// What reads samples: the interface between the store and whatever evaluates over it (PromQL, detectors, export).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
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

// One pass over a series' samples in ascending time.
class SampleIterator {
public:
    virtual ~SampleIterator() = default;
    // Moves to the next sample; false at the end.
    virtual bool next(Sample& sample) = 0;
};

class Series {
public:
    virtual ~Series() = default;
    virtual const Labels& labels() const = 0;
    // Samples with start <= time <= end of the select() that returned this series. May be called again.
    virtual std::unique_ptr<SampleIterator> samples() const = 0;
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
