// Reading the journal: from which segment, from which place in it, and what to do about damage on the way.
#include <algorithm>

#include "journal/segment_scanner.h"
#include "journal/segmented_journal.h"

namespace stoker::journal {
namespace {

constexpr std::size_t kMaxReadBytes = 4 * 1024 * 1024;  // Bounds what one read() holds in memory.

}  // namespace

Result<std::vector<Record>> SegmentedJournal::read(std::uint64_t from, std::size_t most) {
    std::vector<Record> records;
    std::size_t bytes = 0;
    while (records.size() < most && bytes < kMaxReadBytes) {
        const auto plan = plan_read(from);
        if (!plan) break;
        if (auto done = read_segment(*plan, from, most, records, bytes); !done) {
            const bool dropped = done.error().code == Errc::NotFound && first_sequence() > plan->segment;
            if (dropped) continue;  // Retention took it; the next plan begins after it.
            if (records.empty()) return std::move(done).error();
            break;
        }
        if (plan->last) break;
        from = std::max(from, plan->below);
    }
    return records;
}

std::optional<SegmentedJournal::ReadPlan> SegmentedJournal::plan_read(std::uint64_t from) {
    MutexLock lock(mutex_);
    if (segments_.empty() || from >= written_) return std::nullopt;
    const auto after = std::upper_bound(segments_.begin(), segments_.end(), from,
                                        [](std::uint64_t sequence, const Segment& s) { return sequence < s.first; });
    const auto segment = after == segments_.begin() ? after : after - 1;
    const auto next = segment + 1;
    ReadPlan plan{.segment = segment->first,
                  .path = path_of(segment->first),
                  .from = {segment->first, kSegmentHeaderBytes},
                  .end = segment->size,
                  .below = next == segments_.end() ? written_ : next->first,
                  .last = next == segments_.end()};
    const auto mark = std::upper_bound(segment->marks.begin(), segment->marks.end(), from,
                                       [](std::uint64_t sequence, const Mark& m) { return sequence < m.sequence; });
    if (mark != segment->marks.begin()) plan.from = *(mark - 1);
    return plan;
}

Result<Unit> SegmentedJournal::read_segment(const ReadPlan& plan, std::uint64_t from, std::size_t most,
                                            std::vector<Record>& records, std::size_t& bytes) {
    TRY(const auto file, files_.open_read(plan.path));
    SegmentScanner scanner(*file, seed_,
                           {.begin = plan.from.offset,
                            .end = plan.end,
                            .after_sequence = plan.from.sequence - 1,
                            .below_sequence = plan.below});
    Mark mark = plan.from;
    bool at_end = false;
    while (!at_end && records.size() < most && bytes < kMaxReadBytes) {
        TRY(const auto record, scanner.next());
        at_end = !record;
        if (at_end) break;
        if (scanner.record_offset() - mark.offset >= kMarkBytes) {
            mark = {record->sequence, scanner.record_offset()};
            add_mark(plan.segment, mark);
        }
        if (record->sequence < from) continue;
        records.push_back({record->sequence, record->time, record->kind, std::string(record->payload)});
        bytes += record->size();
    }
    MutexLock lock(mutex_);
    for (const DamagedRange& range : scanner.damage()) note_damage(plan.segment, range);
    const DamagedRange tail = scanner.tail();
    if (at_end && tail.offset != tail.end) note_damage(plan.segment, tail);
    return Unit{};
}

// Marks come in order; one that is behind the last was made by another reader already.
void SegmentedJournal::add_mark(std::uint64_t segment, Mark mark) {
    MutexLock lock(mutex_);
    const auto found = std::lower_bound(segments_.begin(), segments_.end(), segment,
                                        [](const Segment& s, std::uint64_t first) { return s.first < first; });
    if (found == segments_.end() || found->first != segment) return;
    if (found->marks.empty() || mark.offset >= found->marks.back().offset + kMarkBytes) found->marks.push_back(mark);
}

}  // namespace stoker::journal
