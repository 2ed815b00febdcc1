#include "tsdb/rollup_book.h"

#include <algorithm>
#include <cstdlib>

#include "tsdb/bytes.h"

namespace stoker::tsdb {

namespace {

constexpr std::uint64_t kMostDays = 100'000;

}  // namespace

RollupMark RollupBook::mark(RollupLevel level) const {
    MutexLock lock(mutex_);
    return marks_[index_of(level)];
}

void RollupBook::set_reached() {
    constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max() / kPartitionMillis - 1;
    reached_.store(reached_day_ < -kMost ? std::numeric_limits<std::int64_t>::min()
                                         : std::min(reached_day_, kMost) * kPartitionMillis,
                   std::memory_order_relaxed);
}

void RollupBook::reach(std::int64_t day) {
    MutexLock lock(mutex_);
    reached_day_ = std::max(reached_day_, day);
    set_reached();
}

bool RollupBook::advance(RollupLevel level, const RollupMark& from, const RollupMark& to) {
    MutexLock lock(mutex_);
    RollupMark& mark = marks_[index_of(level)];
    if (mark != from) {
        return false;
    }
    mark = to;
    return true;
}

void RollupBook::drop_before(RollupLevel level, std::int64_t day) {
    MutexLock lock(mutex_);
    RollupMark& mark = marks_[index_of(level)];
    mark.first = std::max(mark.first, day);
}

void RollupBook::clear() {
    MutexLock lock(mutex_);
    marks_ = {};
    reached_day_ = std::numeric_limits<std::int64_t>::min();
    set_reached();
    notes_.clear();
    unreadable_.clear();
    noted_.store(0, std::memory_order_release);
}

void RollupBook::note_day(SeriesId id, std::int64_t day) {
    MutexLock lock(mutex_);
    if (day >= reached_day_) {
        return;
    }
    const Key key{id, day};
    if (notes_.size() >= kMostNotes && !notes_.contains(key)) {
        for (RollupMark& mark : marks_) {
            mark = mark.begun() && mark.day >= day ? RollupMark{std::min(mark.first, day), day, 0} : mark;
        }
        return;
    }
    notes_[key] = ++changes_;
    noted_.store(notes_.size(), std::memory_order_release);
}

void RollupBook::note_unreadable(std::int64_t day) {
    MutexLock lock(mutex_);
    unreadable_.insert(day);
}

std::vector<StaleRollups> RollupBook::stale(std::size_t most) const {
    MutexLock lock(mutex_);
    std::vector<StaleRollups> result;
    for (const auto& [key, change] : notes_) {
        if (result.size() == most) {
            break;
        }
        result.push_back({key.first, key.second, change});
    }
    return result;
}

void RollupBook::renewed(const StaleRollups& rollups) {
    MutexLock lock(mutex_);
    const auto found = notes_.find({rollups.id, rollups.day});
    if (found != notes_.end() && found->second == rollups.change) {
        notes_.erase(found);
        noted_.store(notes_.size(), std::memory_order_release);
    }
}

void RollupBook::forget_before(std::int64_t day) {
    MutexLock lock(mutex_);
    std::erase_if(notes_, [&](const auto& note) { return note.first.second < day; });
    noted_.store(notes_.size(), std::memory_order_release);
    unreadable_.erase(unreadable_.begin(), unreadable_.lower_bound(day));
}

bool RollupBook::is_noted(SeriesId id, std::int64_t day) const {
    if (!has_notes()) {
        return false;
    }
    MutexLock lock(mutex_);
    return notes_.contains({id, day});
}

std::vector<std::int64_t> RollupBook::noted_days(SeriesId id) const {
    std::vector<std::int64_t> days;
    if (has_notes()) {
        MutexLock lock(mutex_);
        for (auto at = notes_.lower_bound({id, std::numeric_limits<std::int64_t>::min()});
             at != notes_.end() && at->first.first == id; ++at) {
            days.push_back(at->first.second);
        }
    }
    return days;
}

std::set<std::int64_t> RollupBook::unreadable_days() const {
    MutexLock lock(mutex_);
    return unreadable_;
}

std::string RollupBook::encode() const {
    MutexLock lock(mutex_);
    std::string out;
    for (const RollupMark& mark : marks_) {
        put_fixed(out, mark.first);
        put_fixed(out, mark.day);
        put_varint(out, mark.id);
    }
    put_varint(out, notes_.size());
    for (const auto& [key, change] : notes_) {
        put_varint(out, key.first);
        put_varint(out, zigzag(key.second));
    }
    put_varint(out, unreadable_.size());
    for (const std::int64_t day : unreadable_) {
        put_varint(out, zigzag(day));
    }
    return out;
}

Result<Unit> RollupBook::decode(std::string_view bytes) {
    const Error malformed{Errc::Corruption, "malformed state of rollups"};
    ByteReader reader(bytes);
    std::array<RollupMark, kRollupLevels.size()> marks;
    for (RollupMark& mark : marks) {
        mark.first = reader.fixed<std::int64_t>();
        mark.day = reader.fixed<std::int64_t>();
        mark.id = reader.varint();
    }
    std::map<Key, std::uint64_t> notes;
    const std::uint64_t count = reader.varint();
    for (std::uint64_t i = 0; reader.ok() && i < std::min<std::uint64_t>(count, kMostNotes); ++i) {
        const SeriesId id = reader.varint();
        notes[{id, unzigzag(reader.varint())}] = 1;
    }
    std::set<std::int64_t> unreadable;
    const std::uint64_t days = reader.varint();
    for (std::uint64_t i = 0; reader.ok() && i < std::min(days, kMostDays); ++i) {
        unreadable.insert(unzigzag(reader.varint()));
    }
    const auto sane = [](const RollupMark& mark) {
        return !mark.begun() || std::abs(mark.day) < (std::int64_t{1} << 40);
    };
    if (!reader.ok() || !reader.at_end() || !std::all_of(marks.begin(), marks.end(), sane)) {
        return malformed;
    }
    MutexLock lock(mutex_);
    marks_ = marks;
    notes_ = std::move(notes);
    unreadable_ = std::move(unreadable);
    changes_ = 1;
    noted_.store(notes_.size(), std::memory_order_release);
    for (const RollupMark& mark : marks_) {
        if (mark.begun()) {
            reached_day_ = std::max(reached_day_, mark.id > 0 ? mark.day + 1 : mark.day);
        }
    }
    set_reached();
    return Unit{};
}

}  // namespace stoker::tsdb
