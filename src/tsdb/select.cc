// Queries: series from the index, their memory part copied under the shard's lock, their disk part read when it is
// walked.
#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_set>

#include "tsdb/joined_series.h"
#include "tsdb/label_order.h"
#include "tsdb/rolled_series.h"
#include "tsdb/store_impl.h"
#include "tsdb/stored_series.h"

namespace stoker::tsdb {

namespace {

using Found = std::vector<std::shared_ptr<StoredSeries>>;

constexpr std::size_t kLoadAtOnce = std::size_t{32} << 20;  // Bytes of chunks that one select() may read ahead.

Found in_order(Found found, const std::vector<std::uint32_t>& order) {
    Found sorted;
    sorted.reserve(found.size());
    for (const std::uint32_t number : order) {
        sorted.push_back(std::move(found[number]));
    }
    return sorted;
}

Result<Unit> check_limit(std::size_t found, std::size_t limit) {
    if (limit != 0 && found == limit) {
        return Error{Errc::ResourceExhausted,
                     "the selector matches more than " + std::to_string(limit) + " series; narrow it"};
    }
    return Unit{};
}

// Those with the same labels as one; with `rollups`, if there are any. REQUIRES: sorted by labels.
std::vector<std::shared_ptr<Series>> join(Found found, const RollupLookup* rollups) {
    std::vector<std::shared_ptr<Series>> result;
    result.reserve(found.size());
    for (std::size_t from = 0; from < found.size();) {
        std::size_t to = from + 1;
        while (to < found.size() && found[to]->labels() == found[from]->labels()) {
            ++to;
        }
        std::vector<RolledPart> parts;
        if (rollups != nullptr) {
            parts = rollups->parts(std::span(found).subspan(from, to - from));
        }
        if (to == from + 1) {
            result.push_back(std::move(found[from]));
        } else {
            result.push_back(std::make_shared<JoinedSeries>(Found(found.begin() + static_cast<std::ptrdiff_t>(from),
                                                                  found.begin() + static_cast<std::ptrdiff_t>(to))));
        }
        if (rollups != nullptr) {
            result.back() = rollups->with_rollups(std::move(result.back()), std::move(parts));
        }
        from = to;
    }
    return result;
}

}  // namespace

Result<Unit> StoreImpl::each_archived(const std::vector<Matcher>& matchers, std::int64_t start, std::int64_t end,
                                      const Archive::Visit& visit) const {
    if (disk_->archive().newest() < start) {
        return Unit{};
    }
    TRY(const auto compiled, compile_all(matchers));
    std::unordered_set<SeriesId> seen;
    const Archive::Visit look = [&](ArchivedSeries series) -> Result<Unit> {
        if (!seen.insert(series.id).second ||
            tombstones_.covers(series.id, {std::max(start, series.first_time), std::min(end, series.last_time)})) {
            return Unit{};
        }
        return visit(std::move(series));
    };
    auto done = disk_->archive().each_match(compiled, start, end, look);
    if (!done && done.error().code == Errc::Corruption) {
        note_damage("chunks: archived series", done.error().message);
        done = disk_->archive().each_around_damage(compiled, start, end, look);
    }
    return done;
}

// Names or values of archived series; after damage those that can be read.
std::vector<std::string> StoreImpl::or_damage(Result<std::vector<std::string>> found) const {
    if (!found) {
        note_damage("chunks: archived series", found.error().message);
        return {};
    }
    return *std::move(found);
}

Result<Unit> StoreImpl::add_archived(const std::vector<Matcher>& matchers, std::int64_t start, std::int64_t end,
                                     std::int64_t raw_start, std::size_t series_limit,
                                     std::vector<std::shared_ptr<StoredSeries>>& found) const {
    if (disk_->archive().newest() < start) {
        return Unit{};
    }
    // One that left memory while we looked is in both.
    std::unordered_set<SeriesId> seen;
    for (const auto& series : found) {
        seen.insert(series->id());
    }
    return each_archived(matchers, start, end, [&](ArchivedSeries series) -> Result<Unit> {
        if (seen.contains(series.id)) {
            return Unit{};
        }
        TRY_UNIT(check_limit(found.size(), series_limit));
        const SharedIntervals hidden = tombstones_.of(series.id);
        found.push_back(std::make_shared<StoredSeries>(std::move(series), raw_start, end));
        found.back()->hide(hidden);
        return Unit{};
    });
}

template <typename Visit>
Result<Unit> StoreImpl::each_match(const std::vector<Matcher>& matchers, std::int64_t start, std::int64_t end,
                                   Visit visit) const {
    TRY(const auto compiled, compile_all(matchers));
    constexpr std::size_t kAtOnce = 128;  // Visited under one hold of a lock.
    std::array<Postings, kShards> by_shard;
    for (const SeriesId id : index_.select(compiled)) {
        by_shard[shard_of_id(id)].push_back(id);
    }
    for (const Postings& ids : by_shard) {
        for (std::size_t from = 0; from < ids.size(); from += kAtOnce) {
            Shard& shard = *shards_[shard_of_id(ids[from])];
            MutexLock lock(shard.mutex());
            for (std::size_t i = from; i < std::min(from + kAtOnce, ids.size()); ++i) {
                const MemSeries* series = shard.find(ids[i]);
                if (series != nullptr && series->has_samples() && series->first_time <= end &&
                    series->last_time() >= start &&
                    !tombstones_.covers(ids[i],
                                        {std::max(start, series->first_time), std::min(end, series->last_time())})) {
                    TRY_UNIT(visit(*series));
                }
            }
        }
    }
    return Unit{};
}

Result<std::vector<std::shared_ptr<Series>>> StoreImpl::select(const std::vector<Matcher>& matchers, std::int64_t start,
                                                               std::int64_t end, std::size_t series_limit) const {
    return select(matchers, start, end, series_limit, ReadAhead::Chunks);
}

Result<std::vector<std::shared_ptr<Series>>> StoreImpl::select_for_rollups(const std::vector<Matcher>& matchers,
                                                                           std::int64_t start, std::int64_t end,
                                                                           std::size_t series_limit) const {
    const RollupMark mark = rollups_.mark(RollupLevel::Hours);
    const bool mostly = mark.begun() && start / 2 + end / 2 < mark.day * kPartitionMillis;
    return select(matchers, start, end, series_limit, mostly ? ReadAhead::Nothing : ReadAhead::Chunks);
}

Result<std::vector<std::shared_ptr<Series>>> StoreImpl::select(const std::vector<Matcher>& matchers, std::int64_t start,
                                                               std::int64_t end, std::size_t series_limit,
                                                               ReadAhead ahead) const {
    const auto started = std::chrono::steady_clock::now();
    // Samples past retention are left out here, and a series that has no others if its rollups are gone as well.
    const std::int64_t since = raw_since();
    start = std::max(start, rollup_cutoff_.load());
    const std::int64_t raw_start = std::max(start, since == kNever ? cutoff_.load() : since + 1);
    Found found;
    LabelOrder order;
    TRY_UNIT(each_match(matchers, start, end, [&](const MemSeries& series) -> Result<Unit> {
        TRY_UNIT(check_limit(found.size(), series_limit));
        found.push_back(std::make_shared<StoredSeries>(series, raw_start, end));
        found.back()->hide(tombstones_.of(series.id));
        order.add(series.labels(), found.back()->labels());
        return Unit{};
    }));
    // After the memory, never before: what is on its way to disk is then seen in at least one of the two.
    const std::size_t in_memory = found.size();
    TRY_UNIT(add_archived(matchers, start, end, raw_start, series_limit, found));
    const bool gone = start < raw_start && since != kNever;
    std::optional<RollupLookup> rollups;
    if (gone || ahead == ReadAhead::Nothing) {
        rollups.emplace(rollups_, *disk_, since, start, end, found);
    }
    load_from_disk(found, ahead);
    if (found.size() == in_memory) {
        found = in_order(std::move(found), order.sorted());
    } else {
        std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a->labels() < b->labels(); });
    }
    metrics_.select_seconds.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count());
    return join(std::move(found), rollups ? &*rollups : nullptr);
}

// Neighbours by id are neighbours on disk, while callers walk series in the order of their labels: what is not too much
// is read here, block after block, instead of one block for each series.
void StoreImpl::load_from_disk(const std::vector<std::shared_ptr<StoredSeries>>& found, ReadAhead ahead) const {
    std::vector<StoredSeries*> waiting;
    for (const auto& series : found) {
        if (series->on_disk()) {
            waiting.push_back(series.get());
        }
    }
    if (waiting.empty()) {
        return;
    }
    const auto view = disk_->view();
    std::sort(waiting.begin(), waiting.end(),
              [](const StoredSeries* a, const StoredSeries* b) { return a->id() < b->id(); });
    std::unique_ptr<rocksdb::Iterator> iterator;
    std::size_t budget = ahead == ReadAhead::Chunks ? kLoadAtOnce : 0;
    for (StoredSeries* series : waiting) {
        series->set_view(view);
        if (series->in_order_on_disk() && budget >= kLoadAtOnce / 64) {
            series->load(iterator, budget);
        }
    }
}

bool StoreImpl::covers_all(std::int64_t start, std::int64_t end) const {
    return start <= oldest_.load(std::memory_order_relaxed) && end >= newest_.load(std::memory_order_relaxed);
}

// Without matchers, names and values of archived series are taken as soon as the range reaches back to one of them:
// telling exactly would take a look at every definition on disk.
Result<std::vector<std::string>> StoreImpl::label_names(const std::vector<Matcher>& matchers, std::int64_t start,
                                                        std::int64_t end) const {
    std::set<std::string> names;
    if (matchers.empty() && covers_all(start, end)) {
        const std::vector<std::string> in_memory = index_.names();
        names.insert(in_memory.begin(), in_memory.end());
    } else {
        TRY_UNIT(each_match(matchers, start, end, [&](const MemSeries& series) -> Result<Unit> {
            for (const LabelRef& ref : series.labels()) {
                names.insert(*ref.name);
            }
            return Unit{};
        }));
    }
    if (matchers.empty()) {
        if (disk_->archive().newest() >= start) {
            const auto archived = or_damage(disk_->archive().names());
            names.insert(archived.begin(), archived.end());
        }
        return std::vector<std::string>(names.begin(), names.end());
    }
    TRY_UNIT(each_archived(matchers, start, end, [&](const ArchivedSeries& series) {
        for (const auto& [name, value] : series.labels) {
            names.insert(name);
        }
        return Unit{};
    }));
    return std::vector<std::string>(names.begin(), names.end());
}

Result<std::vector<std::string>> StoreImpl::label_values(const std::string& name, const std::vector<Matcher>& matchers,
                                                         std::int64_t start, std::int64_t end) const {
    std::set<std::string> values;
    if (matchers.empty() && covers_all(start, end)) {
        std::vector<std::string> in_memory = index_.values(name);
        if (disk_->archive().newest() < start) {
            return in_memory;
        }
        values.insert(in_memory.begin(), in_memory.end());
    } else {
        TRY_UNIT(each_match(matchers, start, end, [&](const MemSeries& series) -> Result<Unit> {
            for (const LabelRef& ref : series.labels()) {
                if (*ref.name == name) {
                    values.insert(*ref.value);
                }
            }
            return Unit{};
        }));
    }
    if (matchers.empty()) {
        if (disk_->archive().newest() >= start) {
            const auto archived = or_damage(disk_->archive().values(name));
            values.insert(archived.begin(), archived.end());
        }
        return std::vector<std::string>(values.begin(), values.end());
    }
    TRY_UNIT(each_archived(matchers, start, end, [&](const ArchivedSeries& series) {
        if (const std::string_view value = series.labels.get(name); !value.empty()) {
            values.emplace(value);
        }
        return Unit{};
    }));
    return std::vector<std::string>(values.begin(), values.end());
}

}  // namespace stoker::tsdb
