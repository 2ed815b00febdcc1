// A metrics store in memory, for tests of what answers from one.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "promql/memory_querier.h"
#include "tsdb/store.h"

namespace stoker::api {

// Samples are added through `data`; the other members are what the store tells, or was told.
class MemoryStore : public tsdb::Store {
public:
    promql::MemoryQuerier data;
    std::vector<tsdb::FamilyMetadata> families;
    std::vector<tsdb::SeriesExemplars> stored_exemplars;
    std::vector<tsdb::Damage> damaged;
    tsdb::Cardinality counted;
    std::vector<std::string> deleted;  // One text a call: the first matcher's value, start and end.
    std::string snapshot_at;
    bool cleaned = false;

    Result<std::vector<std::shared_ptr<tsdb::Series>>> select(const std::vector<tsdb::Matcher>& matchers,
                                                              std::int64_t start, std::int64_t end,
                                                              std::size_t series_limit) const override {
        return data.select(matchers, start, end, series_limit);
    }
    Result<std::vector<std::string>> label_names(const std::vector<tsdb::Matcher>& matchers, std::int64_t start,
                                                 std::int64_t end) const override {
        return data.label_names(matchers, start, end);
    }
    Result<std::vector<std::string>> label_values(const std::string& name, const std::vector<tsdb::Matcher>& matchers,
                                                  std::int64_t start, std::int64_t end) const override {
        return data.label_values(name, matchers, start, end);
    }

    Result<tsdb::AppendOutcome> append(const std::vector<tsdb::SeriesSample>&) override { return read_only(); }
    Result<tsdb::AppendOutcome> append_cached(std::vector<tsdb::CachedSample>&) override { return read_only(); }
    Result<std::size_t> append_exemplars(const std::vector<tsdb::SeriesExemplars>&) override { return read_only(); }
    Result<Unit> maintain(Timestamp, Timestamp) override { return Unit{}; }
    void set_metadata(const std::vector<tsdb::FamilyMetadata>& batch) override { families = batch; }

    Result<std::vector<tsdb::SeriesExemplars>> exemplars(const std::vector<std::vector<tsdb::Matcher>>&, std::int64_t,
                                                         std::int64_t) const override {
        return stored_exemplars;
    }
    std::vector<tsdb::FamilyMetadata> metadata(const std::string& family) const override {
        std::vector<tsdb::FamilyMetadata> found;
        std::copy_if(families.begin(), families.end(), std::back_inserter(found),
                     [&](const auto& one) { return family.empty() || one.family == family; });
        return found;
    }
    Result<std::size_t> delete_series(const std::vector<tsdb::Matcher>& matchers, std::int64_t start,
                                      std::int64_t end) override {
        deleted.push_back(matchers.front().value + " " + std::to_string(start) + " " + std::to_string(end));
        return std::size_t{1};
    }
    Result<Unit> clean_tombstones() override {
        cleaned = true;
        return Unit{};
    }
    Result<Unit> snapshot(const std::string& directory) override {
        snapshot_at = directory;
        return Unit{};
    }
    tsdb::Cardinality cardinality(const std::vector<tsdb::Matcher>&, std::size_t most) const override {
        tsdb::Cardinality found = counted;
        if (found.series_by_metric.size() > most) found.series_by_metric.resize(most);
        return found;
    }
    std::vector<tsdb::Damage> damage() const override { return damaged; }
    tsdb::StoreStats stats() const override { return {}; }
    Result<Unit> health() const override { return Unit{}; }

private:
    static Error read_only() { return {Errc::Unavailable, "filled through `data` alone"}; }
};

}  // namespace stoker::api
