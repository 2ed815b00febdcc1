// A Querier in front of another that counts the samples read through it: what a query's statistics tell.
//
// Thread-safe as the one behind it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tsdb/querier.h"

namespace stoker::api {

class CountingQuerier : public tsdb::Querier {
public:
    // REQUIRES: `behind` outlives it, and it outlives the series it gave.
    explicit CountingQuerier(const tsdb::Querier& behind) : behind_(behind) {}

    std::uint64_t samples() const { return samples_.load(std::memory_order_relaxed); }

    Result<std::vector<std::shared_ptr<tsdb::Series>>> select(const std::vector<tsdb::Matcher>& matchers,
                                                              std::int64_t start, std::int64_t end,
                                                              std::size_t series_limit) const override;
    Result<std::vector<std::shared_ptr<tsdb::Series>>> select_for_rollups(const std::vector<tsdb::Matcher>& matchers,
                                                                          std::int64_t start, std::int64_t end,
                                                                          std::size_t series_limit) const override;
    Result<std::vector<std::string>> label_names(const std::vector<tsdb::Matcher>& matchers, std::int64_t start,
                                                 std::int64_t end) const override {
        return behind_.label_names(matchers, start, end);
    }
    Result<std::vector<std::string>> label_values(const std::string& name, const std::vector<tsdb::Matcher>& matchers,
                                                  std::int64_t start, std::int64_t end) const override {
        return behind_.label_values(name, matchers, start, end);
    }

private:
    const tsdb::Querier& behind_;
    mutable std::atomic<std::uint64_t> samples_{0};
};

}  // namespace stoker::api
