// Queries: series from the index, their memory part copied under the shard's lock, their disk part read when it is
// walked.
#include <algorithm>
#include <chrono>
#include <set>
#include <string>

#include "tsdb/store_impl.h"
#include "tsdb/stored_series.h"

namespace stoker::tsdb {

template <typename Visit>
Result<Unit> StoreImpl::each_match(const std::vector<Matcher>& matchers, std::int64_t start, std::int64_t end,
                                   Visit visit) const {
    TRY(const auto compiled, compile_all(matchers));
    for (const SeriesId id : index_.select(compiled)) {
        Shard& shard = *shards_[shard_of_id(id)];
        MutexLock lock(shard.mutex());
        const MemSeries* series = shard.find(id);
        if (series != nullptr && series->has_samples() && series->first_time <= end && series->last_time() >= start &&
            !tombstones_.covers(id, {std::max(start, series->first_time), std::min(end, series->last_time())})) {
            TRY_UNIT(visit(*series));
        }
    }
    return Unit{};
}

Result<std::vector<std::shared_ptr<Series>>> StoreImpl::select(const std::vector<Matcher>& matchers, std::int64_t start,
                                                               std::int64_t end, std::size_t series_limit) const {
    const auto started = std::chrono::steady_clock::now();
    start = std::max(start, cutoff_.load());
    std::vector<std::shared_ptr<StoredSeries>> found;
    std::vector<StoredSeries*> on_disk;
    TRY_UNIT(each_match(matchers, start, end, [&](const MemSeries& series) -> Result<Unit> {
        if (series_limit != 0 && found.size() == series_limit) {
            return Error{Errc::ResourceExhausted,
                         "the selector matches more than " + std::to_string(series_limit) + " series; narrow it"};
        }
        found.push_back(std::make_shared<StoredSeries>(series, start, end));
        found.back()->hide(tombstones_.of(series.id));
        if (found.back()->on_disk()) {
            on_disk.push_back(found.back().get());
        }
        return Unit{};
    }));
    // After the memory, never before: a chunk on its way to disk is then seen in at least one of the two.
    if (!on_disk.empty()) {
        const auto view = disk_->view();
        for (StoredSeries* series : on_disk) {
            series->set_view(view);
        }
    }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a->labels() < b->labels(); });
    metrics_.select_seconds.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count());
    return std::vector<std::shared_ptr<Series>>(found.begin(), found.end());
}

Result<std::vector<std::string>> StoreImpl::label_names(const std::vector<Matcher>& matchers, std::int64_t start,
                                                        std::int64_t end) const {
    if (matchers.empty()) {
        return index_.names();
    }
    std::set<std::string> names;
    TRY_UNIT(each_match(matchers, start, end, [&](const MemSeries& series) -> Result<Unit> {
        for (const LabelRef& ref : series.labels()) {
            names.insert(*ref.name);
        }
        return Unit{};
    }));
    return std::vector<std::string>(names.begin(), names.end());
}

Result<std::vector<std::string>> StoreImpl::label_values(const std::string& name, const std::vector<Matcher>& matchers,
                                                         std::int64_t start, std::int64_t end) const {
    if (matchers.empty()) {
        return index_.values(name);
    }
    std::set<std::string> values;
    TRY_UNIT(each_match(matchers, start, end, [&](const MemSeries& series) -> Result<Unit> {
        for (const LabelRef& ref : series.labels()) {
            if (*ref.name == name) {
                values.insert(*ref.value);
            }
        }
        return Unit{};
    }));
    return std::vector<std::string>(values.begin(), values.end());
}

}  // namespace stoker::tsdb
