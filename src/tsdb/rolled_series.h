// A series with its rollups: before raw_since() they stand in for samples that are gone, after it they spare the
// reading of those there are.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <unordered_map>
#include <vector>

#include "tsdb/disk.h"
#include "tsdb/rollup.h"
#include "tsdb/rollup_book.h"
#include "tsdb/stored_series.h"
#include "tsdb/tombstones.h"

namespace stoker::tsdb {

// How rollups stood when a select() looked.
struct RollupState {
    std::array<RollupMark, kRollupLevels.size()> marks;
    std::set<std::int64_t> unreadable_days;
    std::shared_ptr<const Disk::View> view;
    std::int64_t raw_since = kNever;
};

// One id of the series.
struct RolledPart {
    SeriesId id = 0;
    std::int64_t first_time = 0;
    std::int64_t last_time = 0;
    SharedIntervals hidden;
    std::vector<std::int64_t> noted_days;  // Whose rollups are not to be used.
};

class RolledSeries final : public Series, public std::enable_shared_from_this<RolledSeries> {
public:
    // `raw` gives what samples there are in the range. REQUIRES: parts by first time.
    RolledSeries(std::shared_ptr<Series> raw, std::vector<RolledPart> parts, std::shared_ptr<const RollupState> state,
                 std::int64_t start, std::int64_t end);

    const Labels& labels() const override { return raw_->labels(); }
    std::span<const LabelRef> label_refs() const override { return raw_->label_refs(); }
    Labels copy_labels() const override { return raw_->copy_labels(); }
    std::string_view metric() const override { return raw_->metric(); }
    std::unique_ptr<SampleIterator> samples() const override { return samples_between(start_, end_); }
    std::unique_ptr<SampleIterator> samples_between(std::int64_t start, std::int64_t end) const override;
    std::int64_t rollups(std::int64_t resolution, std::int64_t start, std::int64_t end,
                         std::vector<Rollup>& out) const override;
    std::int64_t raw_since() const override { return state_->raw_since; }

private:
    bool made(RollupLevel level, std::int64_t day) const;
    bool whole(const RolledPart& part, std::int64_t day) const;
    bool parts_apart(std::int64_t day) const;
    RollupLevel level_of_gone(std::int64_t resolution, std::int64_t day) const;
    bool append_rows(RollupLevel level, std::int64_t day, std::vector<RollupRow>& rows) const;
    bool day_rows(std::int64_t resolution, std::int64_t day, std::vector<RollupRow>& rows) const;
    std::vector<Sample> stand_ins(std::int64_t start, std::int64_t end) const;

    const std::shared_ptr<Series> raw_;
    const std::vector<RolledPart> parts_;
    const std::shared_ptr<const RollupState> state_;
    const std::int64_t start_;
    const std::int64_t end_;
};

// Gives the series of one select() their rollups. To be made after the select() has looked at the memory.
class RollupLookup {
public:
    RollupLookup(const RollupBook& book, Disk& disk, std::int64_t raw_since, std::int64_t start, std::int64_t end,
                 std::span<StoredSeries* const> found);

    std::vector<RolledPart> parts(std::span<StoredSeries* const> same_labels) const;
    std::shared_ptr<Series> with_rollups(std::shared_ptr<Series> raw, std::vector<RolledPart> parts) const;

private:
    std::shared_ptr<RollupState> state_;
    std::unordered_map<SeriesId, std::vector<std::int64_t>> noted_;
    const std::int64_t start_;
    const std::int64_t end_;
};

}  // namespace stoker::tsdb
