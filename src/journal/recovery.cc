// Opening a journal: what is in the folder, whose it is, and where writing goes on.
//
// Only the last segment is read whole (it is the only one that a crash can tear); of the others the header is checked,
// and their records when somebody reads them. So opening takes as long as one segment takes to read.
#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "journal/segment_scanner.h"
#include "journal/segmented_journal.h"

namespace stoker::journal {

Result<std::unique_ptr<Journal>> Journal::open(const std::string& directory, Options options) {
    return open(directory, options, real_file_system());
}

Result<std::unique_ptr<Journal>> Journal::open(const std::string& directory, Options options, FileSystem& files) {
    if (options.max_record_bytes > kMaxPayloadBytes) {
        return Error{Errc::InvalidArgument, fmt::format("journal records are limited to {} bytes", kMaxPayloadBytes)};
    }
    auto journal = std::make_unique<SegmentedJournal>(directory, options, files);
    if (auto recovered = journal->recover(); !recovered) {
        return std::move(recovered).error().context("open journal " + directory);
    }
    return std::unique_ptr<Journal>(std::move(journal));
}

Result<Unit> SegmentedJournal::recover() {
    TRY_UNIT(files_.make_directory(directory_));
    TRY(lock_, files_.lock(directory_ + "/lock"));
    TRY_UNIT(load_cursors());
    return load_segments();
}

void SegmentedJournal::set_identity(const JournalId& id) {
    id_ = id;
    identity_ = to_hex(id);
    seed_ = checksum_seed(id);
}

Result<Unit> SegmentedJournal::load_cursors() {
    auto cursors = read_cursors(files_, directory_);
    MutexLock lock(cursor_mutex_);
    if (cursors) {
        cursors_ = *std::move(cursors);
        set_identity(cursors_.journal);
        return Unit{};
    }
    if (cursors.error().code == Errc::NotFound) return Unit{};
    if (cursors.error().code != Errc::Corruption) return std::move(cursors).error();
    MutexLock journal_lock(mutex_);
    damage_.push_back({"cursors", 0, cursors.error().message + "; consumers start from the oldest record"});
    return Unit{};
}

Result<Unit> SegmentedJournal::load_segments() {
    TRY(auto names, files_.list(directory_));
    std::vector<Segment> found;
    for (const std::string& name : names) {
        if (const std::uint64_t first = sequence_of_segment(name); first != 0) found.push_back({.first = first});
    }
    std::sort(found.begin(), found.end(), [](const Segment& a, const Segment& b) { return a.first < b.first; });

    // A crash right after a segment was made leaves less than its header.
    while (!found.empty()) {
        TRY(const auto file, files_.open_read(path_of(found.back().first)));
        TRY(const std::uint64_t size, file->size());
        if (size >= kSegmentHeaderBytes) break;
        TRY_UNIT(files_.remove(path_of(found.back().first)));
        found.pop_back();
    }

    std::optional<JournalId> id_of_segments;
    bool last_intact = false;
    for (Segment& segment : found) {
        TRY_UNIT(check_segment_header(segment, last_intact));
        if (!last_intact || id_of_segments) continue;
        TRY(const auto file, files_.open_read(path_of(segment.first)));
        std::string bytes(kSegmentHeaderBytes, '\0');
        TRY(const std::size_t got, file->read_at(0, bytes.data(), bytes.size()));
        TRY(const SegmentHeader header, decode_segment_header(std::string_view(bytes).substr(0, got)));
        id_of_segments = header.id;
    }
    TRY_UNIT(adopt_identity(!found.empty(), id_of_segments));
    {
        MutexLock lock(mutex_);
        segments_ = std::move(found);
        for (const Segment& segment : segments_) total_bytes_ += segment.size;
    }
    return open_last_segment(last_intact);
}

Result<Unit> SegmentedJournal::check_segment_header(Segment& segment, bool& intact) {
    TRY(const auto file, files_.open_read(path_of(segment.first)));
    TRY(segment.size, file->size());
    std::string bytes(kSegmentHeaderBytes, '\0');
    TRY(const std::size_t got, file->read_at(0, bytes.data(), bytes.size()));
    auto header = decode_segment_header(std::string_view(bytes).substr(0, got));
    intact = header.has_value() && header->first_sequence == segment.first;
    if (intact) {
        segment.created = header->created;
        return Unit{};
    }
    if (!header && header.error().code == Errc::Conflict) {
        return std::move(header).error().context(segment_name(segment.first));
    }
    report(segment.first, 0, header ? "header is of another segment" : header.error().message);
    return Unit{};
}

Result<Unit> SegmentedJournal::adopt_identity(bool any_segment, const std::optional<JournalId>& from_segments) {
    if (!identity_.empty()) {
        if (from_segments && *from_segments != id_) {
            return Error{Errc::Conflict, "cursors and segments belong to different journals"};
        }
        return Unit{};
    }
    if (any_segment && !from_segments) {
        return Error{Errc::Corruption, "no segment header and no cursor file is readable, so no record can be checked"};
    }
    set_identity(from_segments ? *from_segments : new_journal_id());
    MutexLock lock(cursor_mutex_);
    cursors_.journal = id_;
    return write_cursors(files_, directory_, cursors_);
}

// Finds the end of what is good in the last segment, cuts what is torn after it, and opens it for appending.
Result<Unit> SegmentedJournal::open_last_segment(bool intact) {
    std::uint64_t furthest_cursor = 1;
    {
        MutexLock cursor_lock(cursor_mutex_);
        for (const auto& [consumer, next] : cursors_.next) furthest_cursor = std::max(furthest_cursor, next);
    }
    MutexLock lock(mutex_);
    next_ = segments_.empty() ? 1 : segments_.back().first;
    if (!segments_.empty()) {
        Segment& last = segments_.back();
        TRY(auto file, files_.open_append(path_of(last.first)));
        SegmentScanner scanner(*file, seed_, {.end = last.size, .after_sequence = last.first - 1});
        for (;;) {
            TRY(const auto record, scanner.next());
            if (!record) break;
            if (last.marks.empty() || scanner.record_offset() - last.marks.back().offset >= kMarkBytes) {
                last.marks.push_back({record->sequence, scanner.record_offset()});
            }
            next_ = record->sequence + 1;
        }
        for (const DamagedRange& range : scanner.damage()) note_damage(last.first, range);
        const DamagedRange tail = scanner.tail();
        if (tail.offset != tail.end) {
            if (!scanner.tail_is_torn()) note_damage(last.first, tail);
            log::warn(
                "journal: cut the end of the last segment",
                {{"segment", segment_name(last.first)}, {"offset", tail.offset}, {"bytes", tail.end - tail.offset}});
            if (auto cut = file->truncate(tail.offset); !cut) failed_ = std::move(cut).error();
            total_bytes_ -= last.size - tail.offset;
            last.size = tail.offset;
        }
        if (intact) {
            active_ = std::move(file);
            active_size_ = last.size;
        } else if (next_ == last.first) {
            // Nothing readable in it, and its name is what the next segment will be called.
            TRY_UNIT(files_.rename(path_of(last.first), path_of(last.first) + ".damaged"));
            total_bytes_ -= last.size;
            segments_.pop_back();
        }
    }
    if (furthest_cursor > next_) {
        damage_.push_back({segments_.empty() ? "" : segment_name(segments_.back().first), 0,
                           fmt::format("records {} to {} were there once and are gone", next_, furthest_cursor - 1)});
        next_ = furthest_cursor;  // Else consumers would miss the records that get these numbers now.
    }
    written_ = next_;
    return Unit{};
}

}  // namespace stoker::journal
