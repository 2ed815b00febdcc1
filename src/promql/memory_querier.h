// A Querier over samples in memory: what tests and dry runs evaluate over.
//
// Filling it is not thread-safe; once filled, reading it is.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tsdb/querier.h"

namespace stoker::promql {

class MemoryQuerier : public tsdb::Querier {
public:
    struct Samples {
        std::vector<tsdb::Sample> values;
        std::vector<tsdb::HistogramPtr> histograms;  // Empty, or as long as `values`.
        std::vector<std::int64_t> starts;            // The same, as in tsdb::SampleBlock.
    };

    // A sample at a time that the series has already takes the place of that one. `start` is when its counter began.
    void add(const tsdb::Labels& labels, tsdb::Sample sample, tsdb::HistogramPtr histogram = nullptr,
             std::int64_t start = 0);
    void clear() { series_.clear(); }

    Result<std::vector<std::shared_ptr<tsdb::Series>>> select(const std::vector<tsdb::Matcher>& matchers,
                                                              std::int64_t start, std::int64_t end,
                                                              std::size_t series_limit) const override;
    Result<std::vector<std::string>> label_names(const std::vector<tsdb::Matcher>& matchers, std::int64_t start,
                                                 std::int64_t end) const override;
    Result<std::vector<std::string>> label_values(const std::string& name, const std::vector<tsdb::Matcher>& matchers,
                                                  std::int64_t start, std::int64_t end) const override;

private:
    // Shared with the Series handed out, which therefore see appends but never dangle.
    std::map<tsdb::Labels, std::shared_ptr<Samples>> series_;
};

}  // namespace stoker::promql
