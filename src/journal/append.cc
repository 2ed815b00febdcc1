// Appending to the journal, in groups, and making it durable.
#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "journal/segmented_journal.h"

namespace stoker::journal {

Result<std::uint64_t> SegmentedJournal::append(Kind kind, std::string_view payload, Timestamp time) {
    const Entry entry{kind, payload, time};
    return append_all({&entry, 1});
}

Result<std::uint64_t> SegmentedJournal::append_all(std::span<const Entry> entries) {
    std::vector<std::uint32_t> checksums;  // The long part of the work, before the lock.
    checksums.reserve(entries.size());
    std::size_t bytes = 0;
    for (const Entry& entry : entries) {
        if (entry.payload.size() > options_.max_record_bytes) {
            return Error{Errc::ResourceExhausted, fmt::format("a journal record of {} bytes is over the limit of {}",
                                                              entry.payload.size(), options_.max_record_bytes)};
        }
        checksums.push_back(payload_checksum(seed_, entry.payload));
        bytes += kRecordHeaderBytes + entry.payload.size();
    }
    MutexLock lock(mutex_);
    if (failed_ && std::chrono::steady_clock::now() >= resume_at_) {
        resume_at_ = std::chrono::steady_clock::now() + kResumeAfter;
        resume_after_full_disk();
    }
    if (failed_) return Error{Errc::Unavailable, "the journal stopped: " + failed_->message};
    const std::shared_ptr<Batch> batch = pending_;
    batch->bytes.reserve(batch->bytes.size() + bytes);
    for (std::size_t i = 0; i < entries.size(); ++i) put(*batch, entries[i], checksums[i]);
    const std::uint64_t last = next_ - 1;
    while (!batch->done) {
        if (leading_) {
            batch_done_.wait(mutex_);
        } else {
            lead();
        }
    }
    if (batch->error) return Error(*batch->error);
    return last;
}

void SegmentedJournal::put(Batch& batch, const Entry& entry, std::uint32_t checksum) {
    const std::uint64_t sequence = next_++;
    if (batch.first == 0) {
        batch.first = sequence;
        batch.time = entry.time;
    }
    batch.last = sequence;
    const auto header = encode_record_header(checksum, sequence, entry.time, entry.kind,
                                             static_cast<std::uint32_t>(entry.payload.size()));
    batch.bytes.append(header.data(), header.size());
    batch.bytes.append(entry.payload);
}

// Writes the pending batch. Others wait, or fill the next one, meanwhile.
void SegmentedJournal::lead() {
    leading_ = true;
    const std::shared_ptr<Batch> batch = pending_;
    pending_ = std::make_shared<Batch>();
    mutex_.unlock();
    Result<Unit> written = write_batch(*batch);
    mutex_.lock();
    leading_ = false;
    finish_batch(*batch, std::move(written));
    batch_done_.notify_all();
}

Result<Unit> SegmentedJournal::write_batch(const Batch& batch) {
    const bool full = active_size_ > kSegmentHeaderBytes && active_size_ + batch.bytes.size() > options_.segment_bytes;
    if (!active_ || full) TRY_UNIT(start_segment(batch));
    if (auto written = active_->write(batch.bytes); !written) {
        // Leaves a clean end if it can; whoever opens the journal next would cut it as well.
        if (!active_->truncate(active_size_)) log::warn("journal: could not cut a failed write");
        return std::move(written).error();
    }
    if (options_.durability == Durability::Fsync) {
        auto synced = active_->sync();
        // Never ResourceExhausted: after a failed sync nobody knows what is on the disk, so it must not pass by itself.
        if (!synced) return Error{Errc::Unavailable, synced.error().message};
    }
    return Unit{};
}

Result<Unit> SegmentedJournal::start_segment(const Batch& batch) {
    active_.reset();
    active_size_ = 0;
    const std::string path = path_of(batch.first);
    TRY(auto file, files_.open_append(path));
    TRY_UNIT(file->truncate(0));  // One that failed half-way before.
    const SegmentHeader header{.id = id_, .first_sequence = batch.first, .created = batch.time};
    TRY_UNIT(file->write(encode(header)));
    if (options_.durability == Durability::Fsync) TRY_UNIT(files_.sync_directory(directory_));
    active_ = std::move(file);
    active_size_ = kSegmentHeaderBytes;

    MutexLock lock(mutex_);
    segments_.push_back({.first = batch.first, .created = batch.time, .size = kSegmentHeaderBytes});
    total_bytes_ += kSegmentHeaderBytes;
    new_names_ = true;
    return Unit{};
}

void SegmentedJournal::finish_batch(Batch& batch, Result<Unit> written) {
    batch.done = true;
    if (!written) {
        failed_ = std::move(written).error();
        resume_at_ = std::chrono::steady_clock::now() + kResumeAfter;
        log::error("journal: append failed, refusing more", {{"error", failed_->message}});
        batch.error = failed_;
        pending_->error = failed_;  // What came meanwhile goes the same way.
        pending_->done = true;
        pending_ = std::make_shared<Batch>();
        next_ = written_;
        return;
    }
    Segment& segment = segments_.back();
    if (segment.marks.empty() || active_size_ - segment.marks.back().offset >= kMarkBytes) {
        segment.marks.push_back({batch.first, active_size_});
    }
    active_size_ += batch.bytes.size();
    segment.size = active_size_;
    if (options_.durability == Durability::Fsync) segment.synced = segment.size;
    total_bytes_ += batch.bytes.size();
    written_ = batch.last + 1;
}

Result<Unit> SegmentedJournal::sync() {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> behind;  // First sequence and size of what is not durable yet.
    bool new_names = false;
    {
        MutexLock lock(mutex_);
        if (failed_) return Error(*failed_);
        for (const Segment& segment : segments_) {
            if (segment.synced < segment.size) behind.emplace_back(segment.first, segment.size);
        }
        new_names = std::exchange(new_names_, false);
    }
    Result<Unit> done = new_names ? files_.sync_directory(directory_) : Unit{};
    for (std::size_t i = 0; done && i < behind.size(); ++i) {
        auto file = files_.open_read(path_of(behind[i].first));      // A sync flushes the file, whoever wrote it.
        if (!file && file.error().code == Errc::NotFound) continue;  // Retention took it.
        done = file ? (*file)->sync() : Result<Unit>(file.error());
    }
    MutexLock lock(mutex_);
    if (!done) {
        failed_ = Error{Errc::Unavailable, done.error().message};
        return done;
    }
    for (Segment& segment : segments_) {
        for (const auto& [first, size] : behind) {
            if (segment.first == first) segment.synced = std::max(segment.synced, size);
        }
    }
    return Unit{};
}

}  // namespace stoker::journal
