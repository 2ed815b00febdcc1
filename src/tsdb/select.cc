// Queries: series from the index, their memory part copied under the shard's lock, their disk part read when it is
// walked or, if it is not too much, right away.
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
#include "tsdb/selection.h"
#include "tsdb/store_impl.h"

namespace stoker::tsdb {

namespace {

constexpr std::size_t kAtOnce = 128;  // Series visited under one hold of a lock.

Result<Unit> check_limit(std::size_t found, std::size_t limit) {
    if (limit != 0 && found == limit) {
        return Error{Errc::ResourceExhausted,
                     "the selector matches more than " + std::to_string(limit) + " series; narrow it"};
    }
    return Unit{};
}

bool same_labels(const StoredSeries& a, const StoredSeries& b) {
    const auto same = [](const LabelRef& x, const LabelRef& y) { return *x.value == *y.value && *x.name == *y.name; };
    return std::equal(a.label_refs().begin(), a.label_refs().end(), b.label_refs().begin(), b.label_refs().end(), same);
}

// REQUIRES: no two have the same labels, as those in memory don't.
std::vector<std::shared_ptr<Series>> share(const std::shared_ptr<const Selection>& selection,
                                           std::span<StoredSeries* const> found) {
    std::vector<std::shared_ptr<Series>> result;
    result.reserve(found.size());
    for (StoredSeries* series : found) {
        result.emplace_back(selection, series);
    }
    return result;
}

// Those with the same labels as one; with `rollups`, if there are any. REQUIRES: sorted by labels.
std::vector<std::shared_ptr<Series>> join(const std::shared_ptr<const Selection>& selection,
                                          std::span<StoredSeries* const> found, const RollupLookup* rollups) {
    std::vector<std::shared_ptr<Series>> result;
    result.reserve(found.size());
    for (std::size_t from = 0; from < found.size();) {
        std::size_t to = from + 1;
        while (to < found.size() && same_labels(*found[to], *found[from])) {
            ++to;
        }
        std::vector<RolledPart> parts;
        if (rollups != nullptr) {
            parts = rollups->parts(std::span(found).subspan(from, to - from));
        }
        if (to == from + 1) {
            result.emplace_back(selection, found[from]);
        } else {
            result.push_back(std::make_shared<JoinedSeries>(
                selection, std::vector<const StoredSeries*>(found.data() + from, found.data() + to)));
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

Result<Unit> StoreImpl::add_archived(const std::vector<Matcher>& matchers, std::int64_t start, std::size_t series_limit,
                                     Selection& found) const {
    if (disk_->archive().newest() < start) {
        return Unit{};
    }
    // One that left memory while we looked is in both.
    std::unordered_set<SeriesId> seen;
    for (const StoredSeries* series : found.series()) {
        seen.insert(series->id());
    }
    return each_archived(matchers, start, found.end(), [&](ArchivedSeries series) -> Result<Unit> {
        if (seen.contains(series.id)) {
            return Unit{};
        }
        TRY_UNIT(check_limit(found.series().size(), series_limit));
        SharedIntervals hidden = tombstones_.of(series.id);
        found.add(std::move(series))->hide(std::move(hidden));
        return Unit{};
    });
}

bool StoreImpl::may_show(const MemSeries& series, std::int64_t start, std::int64_t end) const {
    return series.has_samples() && series.first_time <= end && series.last_time() >= start &&
           !tombstones_.covers(series.id, {std::max(start, series.first_time), std::min(end, series.last_time())});
}

Result<Unit> StoreImpl::each_matching(const std::vector<Matcher>& matchers,
                                      const std::function<void(const MemSeries&)>& visit) const {
    TRY(const auto compiled, compile_all(matchers));
    std::array<Postings, kShards> by_shard;
    for (const SeriesId id : index_.select(compiled)) {
        by_shard[shard_of_id(id)].push_back(id);
    }
    for (const Postings& ids : by_shard) {
        for (std::size_t from = 0; from < ids.size(); from += kAtOnce) {
            Shard& shard = *shards_[shard_of_id(ids[from])];
            MutexLock lock(shard.mutex());
            for (std::size_t i = from; i < std::min(from + kAtOnce, ids.size()); ++i) {
                if (const MemSeries* series = shard.find(ids[i])) {
                    visit(*series);
                }
            }
        }
    }
    return Unit{};
}

// The series in memory that match, whatever times they have.
Result<std::shared_ptr<const SelectedSeries>> StoreImpl::find_series(const std::vector<Matcher>& matchers) const {
    // Before the index is asked: what comes meanwhile makes this out of date.
    const std::uint64_t generation = index_.generation();
    if (auto known = select_cache_.find(matchers, generation)) {
        return known;
    }
    auto found = std::make_shared<SelectedSeries>();
    LabelOrder order;
    TRY_UNIT(each_matching(matchers, [&](const MemSeries& series) {
        found->refs.push_back(series.ref());
        order.add(series.labels());
    }));
    found->places.resize(found->refs.size());
    std::uint32_t place = 0;
    for (const std::uint32_t number : order.sorted()) {
        found->places[number] = place++;
    }
    select_cache_.put(matchers, generation, found);
    return std::shared_ptr<const SelectedSeries>(std::move(found));
}

// Those of them that may have samples in the range, in the order of their labels.
Result<std::vector<StoredSeries*>> StoreImpl::take_series(const SelectedSeries& known, std::int64_t start,
                                                          std::size_t series_limit, Selection& selection) const {
    std::vector<StoredSeries*> by_place(known.refs.size());
    const bool any_hidden = !tombstones_.empty();
    for (std::size_t from = 0; from < known.refs.size();) {
        const std::size_t which = shard_of_ref(known.refs[from]);
        Shard& shard = *shards_[which];
        MutexLock lock(shard.mutex());
        const std::size_t limit = std::min(from + kAtOnce, known.refs.size());
        for (; from < limit && shard_of_ref(known.refs[from]) == which; ++from) {
            const MemSeries* series = shard.find_ref(known.refs[from]);
            if (series == nullptr || !may_show(*series, start, selection.end())) {
                continue;
            }
            TRY_UNIT(check_limit(selection.series().size(), series_limit));
            StoredSeries* taken = selection.add(*series);
            if (any_hidden) {
                taken->hide(tombstones_.of(series->id));
            }
            by_place[known.places[from]] = taken;
        }
    }
    std::erase(by_place, nullptr);
    return by_place;
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
    // The pin before the look: a series that goes in between is not found, or its texts stay.
    const auto selection = std::make_shared<Selection>(raw_start, end, index_.pin());
    TRY(const auto known, find_series(matchers));
    TRY(std::vector<StoredSeries*> found, take_series(*known, start, series_limit, *selection));
    // After the memory, never before: what is on its way to disk is then seen in at least one of the two.
    const std::size_t in_memory = found.size();
    TRY_UNIT(add_archived(matchers, start, series_limit, *selection));
    const std::vector<StoredSeries*>& all = selection->series();
    const bool gone = start < raw_start && since != kNever;
    std::optional<RollupLookup> rollups;
    if (gone || ahead == ReadAhead::Nothing) {
        rollups.emplace(rollups_, *disk_, since, start, end, all);
    }
    if (std::any_of(all.begin(), all.end(), [](const StoredSeries* series) { return series->on_disk(); })) {
        selection->load(disk_->view(), ahead == ReadAhead::Chunks);
    }
    if (all.size() > in_memory) {
        LabelOrder order;
        for (const StoredSeries* series : all) {
            order.add(series->label_refs());
        }
        found.clear();
        for (const std::uint32_t number : order.sorted()) {
            found.push_back(all[number]);
        }
    }
    metrics_.select_seconds.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count());
    if (all.size() == in_memory && !rollups) {
        return share(selection, found);
    }
    return join(selection, found, rollups ? &*rollups : nullptr);
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
        TRY_UNIT(each_matching(matchers, [&](const MemSeries& series) {
            if (!may_show(series, start, end)) {
                return;
            }
            for (const LabelRef& ref : series.labels()) {
                names.insert(*ref.name);
            }
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
        TRY_UNIT(each_matching(matchers, [&](const MemSeries& series) {
            if (!may_show(series, start, end)) {
                return;
            }
            for (const LabelRef& ref : series.labels()) {
                if (*ref.name == name) {
                    values.insert(*ref.value);
                }
            }
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
