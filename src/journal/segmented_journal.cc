#include "journal/segmented_journal.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "base/log.h"

namespace stoker::journal {
namespace {

constexpr std::size_t kMaxReportedDamage = 1000;  // Bounds memory; the log has every one.

constexpr std::uintmax_t kRoomToResume = std::uintmax_t{1} << 20;  // So that it doesn't end at once again.

}  // namespace

SegmentedJournal::SegmentedJournal(std::string directory, Options options, FileSystem& files)
    : directory_(std::move(directory)), options_(options), files_(files) {}

std::string SegmentedJournal::path_of(std::uint64_t first) const {
    return directory_ + "/" + segment_name(first);
}

std::uint64_t SegmentedJournal::first_sequence() const {
    MutexLock lock(mutex_);
    return segments_.empty() ? written_ : segments_.front().first;
}

std::uint64_t SegmentedJournal::next_sequence() const {
    MutexLock lock(mutex_);
    return written_;
}

std::uint64_t SegmentedJournal::bytes() const {
    MutexLock lock(mutex_);
    return total_bytes_;
}

Result<Unit> SegmentedJournal::health() const {
    MutexLock lock(mutex_);
    if (failed_) return Error(*failed_);
    return Unit{};
}

std::vector<Damage> SegmentedJournal::damage() const {
    MutexLock lock(mutex_);
    return damage_;
}

void SegmentedJournal::report(std::uint64_t segment, std::uint64_t offset, std::string what) {
    MutexLock lock(mutex_);
    note_damage(segment, offset, std::move(what));
}

void SegmentedJournal::note_damage(std::uint64_t segment, DamagedRange range) {
    note_damage(segment, range.offset, fmt::format("{} bytes hold no readable record", range.end - range.offset));
}

void SegmentedJournal::note_damage(std::uint64_t segment, std::uint64_t offset, std::string what) {
    if (damage_.size() >= kMaxReportedDamage || !reported_.emplace(segment, offset).second) return;
    log::error("journal: damage", {{"segment", segment_name(segment)}, {"offset", offset}, {"what", what}});
    damage_.push_back({segment_name(segment), offset, std::move(what)});
}

bool SegmentedJournal::has_cursor(const std::string& consumer) const {
    MutexLock lock(cursor_mutex_);
    return cursors_.next.contains(consumer);
}

std::uint64_t SegmentedJournal::cursor(const std::string& consumer) const {
    const std::uint64_t oldest = first_sequence();
    MutexLock lock(cursor_mutex_);
    const auto found = cursors_.next.find(consumer);
    return found == cursors_.next.end() ? oldest : std::max(found->second, oldest);
}

Result<Unit> SegmentedJournal::commit(const std::string& consumer, std::uint64_t next) {
    if (!is_consumer_name(consumer)) {
        return Error{Errc::InvalidArgument, fmt::format("'{}' can't name a consumer", consumer)};
    }
    if (next > next_sequence()) {
        return Error{Errc::InvalidArgument, fmt::format("{} has not been appended yet", next - 1)};
    }
    MutexLock lock(cursor_mutex_);
    Cursors changed = cursors_;
    changed.next[consumer] = next;
    TRY_UNIT(write_cursors(files_, directory_, changed));
    cursors_ = std::move(changed);
    return Unit{};
}

std::vector<std::string> SegmentedJournal::consumers() const {
    MutexLock lock(cursor_mutex_);
    std::vector<std::string> names;
    for (const auto& [consumer, next] : cursors_.next) names.push_back(consumer);
    return names;
}

Result<Unit> SegmentedJournal::forget(const std::string& consumer) {
    MutexLock lock(cursor_mutex_);
    Cursors changed = cursors_;
    if (changed.next.erase(consumer) == 0) return Unit{};
    TRY_UNIT(write_cursors(files_, directory_, changed));
    cursors_ = std::move(changed);
    return Unit{};
}

Result<Unit> SegmentedJournal::copy_to(const std::string& directory) {
    TRY_UNIT(files_.make_directory(directory));
    Cursors cursors;
    {
        MutexLock lock(cursor_mutex_);
        cursors = cursors_;
    }
    std::vector<std::pair<std::uint64_t, std::uint64_t>> segments;  // First sequence and size.
    {
        MutexLock lock(mutex_);
        for (const Segment& segment : segments_) segments.emplace_back(segment.first, segment.size);
    }
    for (const auto& [first, size] : segments) {
        const auto copied = copy_durably(path_of(first), directory + "/" + segment_name(first), size);
        // Retention may have been faster.
        if (!copied && copied.error().code != Errc::NotFound) return copied.error();
    }
    TRY_UNIT(write_cursors(files_, directory, cursors));
    return files_.sync_directory(directory);
}

std::optional<std::uint64_t> SegmentedJournal::slowest_consumer() const {
    MutexLock lock(cursor_mutex_);
    std::optional<std::uint64_t> slowest;
    for (const auto& [consumer, next] : cursors_.next) slowest = std::min(slowest.value_or(next), next);
    return slowest;
}

bool SegmentedJournal::may_drop_oldest(Timestamp now, std::optional<std::uint64_t> slowest) const {
    if (segments_.size() < 2) return false;
    if (total_bytes_ > options_.retain_bytes) return true;
    // The next segment was made for a record no older than all of this one's.
    const Segment& next = segments_[1];
    return now - next.created > options_.retain_for && slowest.value_or(next.first) >= next.first;
}

void SegmentedJournal::enforce_retention(Timestamp now) {
    const auto slowest = slowest_consumer();
    MutexLock lock(mutex_);
    while (may_drop_oldest(now, slowest)) {
        const Segment& oldest = segments_.front();
        const std::uint64_t after = segments_[1].first;
        if (auto removed = files_.remove(path_of(oldest.first)); !removed && removed.error().code != Errc::NotFound) {
            log::warn("journal: retention", {{"error", removed.error().message}});
            break;
        }
        if (slowest && *slowest < after) {
            log::error("journal: over its size bound, dropped records that a consumer had not read",
                       {{"from", std::max(*slowest, oldest.first)}, {"to", after - 1}});
        }
        total_bytes_ -= oldest.size;
        segments_.erase(segments_.begin());
    }
    resume_after_full_disk();
}

// A full disk is the one failure that passes by itself. What stands after the last good byte is cut first.
void SegmentedJournal::resume_after_full_disk() {
    if (!failed_ || failed_->code != Errc::ResourceExhausted) return;
    std::error_code unknown;
    const auto space = std::filesystem::space(directory_, unknown);
    if (!unknown && space.available < kRoomToResume) return;
    if (active_ && !active_->truncate(active_size_)) return;
    log::info("journal: goes on after a full disk", {{"folder", directory_}});
    failed_.reset();
}

}  // namespace stoker::journal
