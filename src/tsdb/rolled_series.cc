#include "tsdb/rolled_series.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace stoker::tsdb {

namespace {

// Stand-ins, then samples.
class RolledIterator final : public SampleIterator {
public:
    RolledIterator(std::vector<Sample> stand_ins, std::unique_ptr<SampleIterator> raw)
        : stand_ins_(std::move(stand_ins)), raw_(std::move(raw)) {}

    SampleBlock next_block() override {
        if (!given_ && !stand_ins_.empty()) {
            given_ = true;
            return {stand_ins_, {}, {}};
        }
        return raw_->next_block();
    }
    Result<Unit> status() const override { return raw_->status(); }

private:
    const std::vector<Sample> stand_ins_;
    bool given_ = false;
    const std::unique_ptr<SampleIterator> raw_;
};

// A midnight's sample opens its day and belongs to a stretch of the day before, so the two rows become one.
void append_row(std::vector<RollupRow>& rows, const RollupRow& row) {
    if (rows.empty() || row.rollup.start >= rows.back().rollup.end) {
        rows.push_back(row);
        return;
    }
    RollupRow& last = rows.back();
    last.histograms = last.histograms || row.histograms;
    last.ends_stale = row.ends_stale;
    if (row.rollup.count == 0) {
        return;
    }
    if (last.rollup.count == 0) {
        const Rollup empty = last.rollup;
        last.rollup = row.rollup;
        last.rollup.start = empty.start;
        last.rollup.end = std::max(empty.end, row.rollup.end);
    } else {
        extend(last.rollup, row.rollup);
    }
}

}  // namespace

RolledSeries::RolledSeries(std::shared_ptr<Series> raw, std::vector<RolledPart> parts,
                           std::shared_ptr<const RollupState> state, std::int64_t start, std::int64_t end)
    : raw_(std::move(raw)), parts_(std::move(parts)), state_(std::move(state)), start_(start), end_(end) {}

bool RolledSeries::made(RollupLevel level, std::int64_t day) const {
    const RollupMark& mark = state_->marks[level == RollupLevel::Hours ? 0 : 1];
    return mark.begun() && day >= mark.first && day < mark.day && !state_->unreadable_days.contains(day);
}

// Nothing happened to the day's samples that its rollups do not know.
bool RolledSeries::whole(const RolledPart& part, std::int64_t day) const {
    const TimeInterval times{day * kPartitionMillis, (day + 1) * kPartitionMillis - 1};
    return std::find(part.noted_days.begin(), part.noted_days.end(), day) == part.noted_days.end() &&
           (part.hidden == nullptr || !overlaps(*part.hidden, times));
}

// Whether no two ids have samples of the day side by side.
bool RolledSeries::parts_apart(std::int64_t day) const {
    std::int64_t last = std::numeric_limits<std::int64_t>::min();
    for (const RolledPart& part : parts_) {
        if (part.first_time >= (day + 1) * kPartitionMillis || part.last_time < day * kPartitionMillis) {
            continue;
        }
        if (part.first_time <= last) {
            return false;
        }
        last = part.last_time;
    }
    return true;
}

// False if one of them can't be read.
bool RolledSeries::append_rows(RollupLevel level, std::int64_t day, std::vector<RollupRow>& rows) const {
    bool all = true;
    std::vector<RollupRow> found;
    for (const RolledPart& part : parts_) {
        if (part.first_time >= (day + 1) * kPartitionMillis || part.last_time < day * kPartitionMillis) {
            continue;
        }
        const auto value = state_->view->rollups(level, day, part.id);
        if (!value) {
            state_->view->damage().add("chunks: rollups", value.error().message);
        }
        if (value && !*value) {
            continue;
        }
        const auto decoded = value ? decode_rollups(**value, resolution_of(level)) : value.error();
        if (!decoded) {
            all = false;
            continue;
        }
        for (const RollupRow& row : *decoded) {
            if (part.hidden == nullptr || !overlaps(*part.hidden, {row.rollup.start + 1, row.rollup.end})) {
                found.push_back(row);
            }
        }
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const RollupRow& a, const RollupRow& b) { return a.rollup.start < b.rollup.start; });
    for (const RollupRow& row : found) {
        append_row(rows, row);
    }
    return all;
}

// What there is of a day whose samples are gone.
RollupLevel RolledSeries::level_of_gone(std::int64_t resolution, std::int64_t day) const {
    return resolution < kLongRollup && made(RollupLevel::Minutes, day) ? RollupLevel::Minutes : RollupLevel::Hours;
}

// False if rollups can't stand for the samples of the day.
bool RolledSeries::day_rows(std::int64_t resolution, std::int64_t day, std::vector<RollupRow>& rows) const {
    const RollupLevel level = resolution == kLongRollup ? RollupLevel::Hours : RollupLevel::Minutes;
    if (!made(level, day) || !parts_apart(day) ||
        !std::all_of(parts_.begin(), parts_.end(), [&](const RolledPart& part) { return whole(part, day); })) {
        return false;
    }
    std::vector<RollupRow> found;
    if (!append_rows(level, day, found) ||
        std::any_of(found.begin(), found.end(), [](const RollupRow& row) { return row.histograms; })) {
        return false;
    }
    for (const RollupRow& row : found) {
        append_row(rows, row);
    }
    return true;
}

std::int64_t RolledSeries::rollups(std::int64_t resolution, std::int64_t start, std::int64_t end,
                                   std::vector<Rollup>& out) const {
    std::vector<RollupRow> rows;
    std::int64_t day = partition_of(start);
    const std::int64_t gone = std::min(state_->raw_since, end);
    bool known = true;
    for (; day * kPartitionMillis < gone; ++day) {
        known = day_rows(resolution, day, rows);
        if (!known) {
            append_rows(level_of_gone(resolution, day), day, rows);
        }
    }
    std::int64_t reached = std::max(start, gone);
    if (known || day * kPartitionMillis == gone) {
        while (day <= partition_of(end) && day_rows(resolution, day, rows)) {
            ++day;
        }
        // A day's last stretch ends with the first sample of the next one.
        reached = day > partition_of(end) ? end : std::max(reached, day * kPartitionMillis - resolution);
    }
    for (const RollupRow& row : rows) {
        if (row.rollup.count > 0 && row.rollup.start >= start && row.rollup.end <= reached) {
            out.push_back(row.rollup);
        }
    }
    return reached;
}

std::vector<Sample> RolledSeries::stand_ins(std::int64_t start, std::int64_t end) const {
    std::vector<RollupRow> rows;
    for (std::int64_t day = partition_of(start); day <= partition_of(end); ++day) {
        append_rows(level_of_gone(kShortRollup, day), day, rows);
    }
    std::vector<Sample> samples;
    const auto give = [&](std::int64_t time, double value) {
        if (time >= start && time <= end && (samples.empty() || time > samples.back().time)) {
            samples.push_back({time, value});
        }
    };
    for (const RollupRow& row : rows) {
        const Rollup& rollup = row.rollup;
        if (rollup.count > 0) {
            give(rollup.last_time, rollup.last);
        }
        if (row.ends_stale) {
            give(rollup.count > 0 ? rollup.last_time + 1 : rollup.start + 1, stale_marker());
        }
    }
    return samples;
}

std::unique_ptr<SampleIterator> RolledSeries::samples_between(std::int64_t start, std::int64_t end) const {
    start = std::max(start, start_);
    end = std::min(end, end_);
    const std::int64_t raw_since = state_->raw_since;
    if (start > raw_since) {
        return raw_->samples_between(start, end);
    }
    return std::make_unique<RolledIterator>(stand_ins(start, std::min(end, raw_since)),
                                            raw_->samples_between(raw_since + 1, end));
}

// The notes first, the disk last: what was made again in between is passed over, and nothing old is taken for new.
RollupLookup::RollupLookup(const RollupBook& book, Disk& disk, std::int64_t raw_since, std::int64_t start,
                           std::int64_t end, std::span<StoredSeries* const> found)
    : state_(std::make_shared<RollupState>()), start_(start), end_(end) {
    for (std::size_t i = 0; i < kRollupLevels.size(); ++i) {
        state_->marks[i] = book.mark(kRollupLevels[i]);
    }
    state_->raw_since = raw_since;
    state_->unreadable_days = book.unreadable_days();
    if (book.has_notes()) {
        for (const StoredSeries* series : found) {
            if (auto days = book.noted_days(series->id()); !days.empty()) {
                noted_[series->id()] = std::move(days);
            }
        }
    }
    state_->view = disk.view();
    for (std::size_t i = 0; i < kRollupLevels.size(); ++i) {
        // What is dropped meanwhile is not there.
        state_->marks[i].first = std::max(state_->marks[i].first, book.mark(kRollupLevels[i]).first);
    }
}

std::vector<RolledPart> RollupLookup::parts(std::span<StoredSeries* const> same_labels) const {
    std::vector<RolledPart> parts;
    for (const StoredSeries* series : same_labels) {
        const auto noted = noted_.find(series->id());
        parts.push_back({series->id(), series->first_time(), series->last_time(), series->hidden(),
                         noted == noted_.end() ? std::vector<std::int64_t>() : noted->second});
    }
    std::sort(parts.begin(), parts.end(),
              [](const RolledPart& a, const RolledPart& b) { return a.first_time < b.first_time; });
    return parts;
}

std::shared_ptr<Series> RollupLookup::with_rollups(std::shared_ptr<Series> raw, std::vector<RolledPart> parts) const {
    return std::make_shared<RolledSeries>(std::move(raw), std::move(parts), state_, start_, end_);
}

}  // namespace stoker::tsdb
