#include "tsdb/tombstones.h"

#include <algorithm>
#include <limits>

#include "tsdb/bytes.h"

namespace stoker::tsdb {

namespace {

// The first interval that ends at or after `time`.
auto first_reaching(const TimeIntervals& intervals, std::int64_t time) {
    return std::lower_bound(intervals.begin(), intervals.end(), time,
                            [](const TimeInterval& interval, std::int64_t at) { return interval.end < at; });
}

class Remaining final : public SampleIterator {
public:
    Remaining(std::unique_ptr<SampleIterator> all, SharedIntervals hidden)
        : all_(std::move(all)), hidden_(std::move(hidden)) {}

    SampleBlock next_block() override {
        for (;;) {
            const SampleBlock block = all_->next_block();
            if (block.samples.empty() || !overlaps(*hidden_, {block.samples.front().time, block.samples.back().time})) {
                return block;
            }
            keep(block);
            if (!samples_.empty()) {
                return {samples_, histograms_};
            }
        }
    }

    Result<Unit> status() const override { return all_->status(); }

private:
    void keep(const SampleBlock& block) {
        samples_.clear();
        histograms_.clear();
        for (std::size_t i = 0; i < block.samples.size(); ++i) {
            if (contains(*hidden_, block.samples[i].time)) {
                continue;
            }
            samples_.push_back(block.samples[i]);
            if (!block.histograms.empty()) {
                histograms_.push_back(block.histograms[i]);
            }
        }
    }

    const std::unique_ptr<SampleIterator> all_;
    const SharedIntervals hidden_;
    std::vector<Sample> samples_;
    std::vector<HistogramPtr> histograms_;
};

}  // namespace

void add_interval(TimeIntervals& intervals, TimeInterval added) {
    const auto touches = [](std::int64_t end, std::int64_t start) {
        return end >= start || (end < std::numeric_limits<std::int64_t>::max() && end + 1 == start);
    };
    auto first = intervals.begin();
    while (first != intervals.end() && !touches(first->end, added.start)) {
        ++first;
    }
    auto last = first;
    while (last != intervals.end() && touches(added.end, last->start)) {
        added = {std::min(added.start, last->start), std::max(added.end, last->end)};
        ++last;
    }
    intervals.insert(intervals.erase(first, last), added);
}

bool contains(const TimeIntervals& intervals, std::int64_t time) {
    const auto found = first_reaching(intervals, time);
    return found != intervals.end() && found->start <= time;
}

bool covers(const TimeIntervals& intervals, TimeInterval range) {
    const auto found = first_reaching(intervals, range.end);
    return found != intervals.end() && found->start <= range.start;
}

bool overlaps(const TimeIntervals& intervals, TimeInterval range) {
    const auto found = first_reaching(intervals, range.start);
    return found != intervals.end() && found->start <= range.end;
}

std::string encode_intervals(const TimeIntervals& intervals) {
    std::string out;
    put_varint(out, intervals.size());
    for (const TimeInterval& interval : intervals) {
        put_varint(out, zigzag(interval.start));
        put_varint(out, zigzag(interval.end));
    }
    return out;
}

Result<TimeIntervals> decode_intervals(std::string_view bytes) {
    ByteReader reader(bytes);
    TimeIntervals intervals;
    const std::uint64_t count = reader.varint();
    for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
        const std::int64_t start = unzigzag(reader.varint());
        const std::int64_t end = unzigzag(reader.varint());
        if (reader.ok() && start <= end) {
            add_interval(intervals, {start, end});
        }
    }
    if (!reader.ok() || !reader.at_end()) {
        return Error{Errc::Corruption, "malformed tombstones"};
    }
    return intervals;
}

void Tombstones::add(SeriesId id, TimeInterval interval) {
    add_all(id, {interval});
}

void Tombstones::add_all(SeriesId id, const TimeIntervals& intervals) {
    MutexLock lock(mutex_);
    SharedIntervals& known = intervals_[id];
    auto changed = known == nullptr ? std::make_shared<TimeIntervals>() : std::make_shared<TimeIntervals>(*known);
    for (const TimeInterval& interval : intervals) {
        add_interval(*changed, interval);
    }
    known = std::move(changed);
    changed_.insert(id);
    count_.store(intervals_.size(), std::memory_order_release);
}

SharedIntervals Tombstones::of(SeriesId id) const {
    if (empty()) {
        return nullptr;
    }
    MutexLock lock(mutex_);
    const auto found = intervals_.find(id);
    return found == intervals_.end() ? nullptr : found->second;
}

bool Tombstones::covers(SeriesId id, TimeInterval range) const {
    const SharedIntervals intervals = of(id);
    return intervals != nullptr && tsdb::covers(*intervals, range);
}

void Tombstones::remove(SeriesId id) {
    MutexLock lock(mutex_);
    if (intervals_.erase(id) != 0) {
        changed_.insert(id);
        count_.store(intervals_.size(), std::memory_order_release);
    }
}

void Tombstones::remove_those(SeriesId id, const SharedIntervals& intervals) {
    MutexLock lock(mutex_);
    const auto found = intervals_.find(id);
    if (found != intervals_.end() && found->second == intervals) {
        intervals_.erase(found);
        changed_.insert(id);
        count_.store(intervals_.size(), std::memory_order_release);
    }
}

void Tombstones::drop_before(std::int64_t time) {
    MutexLock lock(mutex_);
    for (auto at = intervals_.begin(); at != intervals_.end();) {
        TimeIntervals kept;
        std::copy_if(at->second->begin(), at->second->end(), std::back_inserter(kept),
                     [&](const TimeInterval& interval) { return interval.end >= time; });
        if (kept.size() != at->second->size()) {
            changed_.insert(at->first);
            at->second = std::make_shared<const TimeIntervals>(std::move(kept));
        }
        at = at->second->empty() ? intervals_.erase(at) : std::next(at);
    }
    count_.store(intervals_.size(), std::memory_order_release);
}

std::vector<SeriesId> Tombstones::ids() const {
    std::vector<SeriesId> ids;
    MutexLock lock(mutex_);
    ids.reserve(intervals_.size());
    for (const auto& [id, intervals] : intervals_) {
        ids.push_back(id);
    }
    return ids;
}

std::vector<SeriesId> Tombstones::take_changed() {
    MutexLock lock(mutex_);
    std::vector<SeriesId> ids(changed_.begin(), changed_.end());
    changed_.clear();
    return ids;
}

std::unique_ptr<SampleIterator> without(std::unique_ptr<SampleIterator> all, SharedIntervals hidden) {
    if (hidden == nullptr) {
        return all;
    }
    return std::make_unique<Remaining>(std::move(all), std::move(hidden));
}

}  // namespace stoker::tsdb
