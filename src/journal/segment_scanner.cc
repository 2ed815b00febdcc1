#include "journal/segment_scanner.h"

#include <algorithm>

namespace stoker::journal {
namespace {

constexpr std::size_t kWindowBytes = 256 * 1024;  // One read: long enough that system calls don't count.

}  // namespace

SegmentScanner::SegmentScanner(const File& file, std::uint32_t seed, Range range)
    : file_(file),
      seed_(seed),
      range_(range),
      offset_(range.begin),
      record_offset_(range.begin),
      last_sequence_(range.after_sequence) {
    range_.end = std::max(range_.end, range_.begin);
}

Result<std::optional<RecordView>> SegmentScanner::next() {
    RecordView record;
    TRY(const Decoded decoded, decode_at(offset_, record));
    std::uint64_t found = offset_;
    if (decoded != Decoded::Record || !in_order(record)) {
        if (offset_ == range_.end) return std::optional<RecordView>();
        TRY(const bool recovered, resync(offset_ + 1, record, found));
        if (!recovered) {
            tail_is_torn_ = decoded == Decoded::Incomplete;
            return std::optional<RecordView>();
        }
        damage_.push_back({offset_, found});
    }
    record_offset_ = found;
    offset_ = found + record.size();
    last_sequence_ = record.sequence;
    return std::optional<RecordView>(record);
}

Result<Decoded> SegmentScanner::decode_at(std::uint64_t offset, RecordView& record) {
    std::size_t needed = kRecordHeaderBytes;
    for (;;) {
        TRY(const std::string_view bytes, window(offset, needed));
        const std::size_t had = needed;
        const Decoded decoded = decode_record(bytes, seed_, record, needed);
        if (decoded != Decoded::Incomplete) return decoded;
        // More bytes would help only if there are any, and only up to the range's end.
        if (needed == had || needed > range_.end - offset) return Decoded::Incomplete;
    }
}

Result<bool> SegmentScanner::resync(std::uint64_t from, RecordView& record, std::uint64_t& found) {
    while (from < range_.end) {
        TRY(const std::string_view bytes, window(from, kWindowBytes));
        const std::size_t at = bytes.find(kRecordMagic);
        if (at == std::string_view::npos) {
            if (from + bytes.size() >= range_.end) return false;
            from += bytes.size() - (kRecordMagic.size() - 1);  // The magic may lie across two windows.
            continue;
        }
        found = from + at;
        TRY(const Decoded decoded, decode_at(found, record));
        if (decoded == Decoded::Record && in_order(record)) return true;
        from = found + 1;
    }
    return false;
}

bool SegmentScanner::in_order(const RecordView& record) const {
    return record.sequence > last_sequence_ && record.sequence < range_.below_sequence;
}

Result<std::string_view> SegmentScanner::window(std::uint64_t offset, std::size_t count) {
    count = static_cast<std::size_t>(std::min<std::uint64_t>(count, range_.end - offset));
    const bool inside = offset >= buffer_offset_ && offset + count <= buffer_offset_ + buffer_.size();
    if (!inside) {
        const auto want =
            static_cast<std::size_t>(std::min<std::uint64_t>(std::max(count, kWindowBytes), range_.end - offset));
        buffer_.resize(want);
        buffer_offset_ = offset;
        auto got = file_.read_at(offset, buffer_.data(), want);
        if (!got) {
            buffer_.clear();
            return std::move(got).error();
        }
        buffer_.resize(*got);
        if (*got < want) range_.end = offset + *got;  // Shorter than we were told.
        count = std::min(count, *got);
    }
    return std::string_view(buffer_).substr(static_cast<std::size_t>(offset - buffer_offset_), count);
}

}  // namespace stoker::journal
