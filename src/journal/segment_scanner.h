// Reads the records of one segment in order, checks each, and finds its way past damage.
//
// A record that fails its checksum is never returned. The scanner looks for the next place where a whole, checked
// record with a later sequence begins, goes on there, and reports the bytes between as damage. What is left at the end
// without a record is reported as the tail. Memory: one window of the file, as large as the largest record at most.
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "journal/file_system.h"
#include "journal/format.h"

namespace stoker::journal {

// Bytes [offset, end) that hold no readable record.
struct DamagedRange {
    std::uint64_t offset = 0;
    std::uint64_t end = 0;
};

class SegmentScanner {
public:
    struct Range {
        std::uint64_t begin = kSegmentHeaderBytes;  // Where a record begins.
        std::uint64_t end = 0;                      // How far the file may be read.
        std::uint64_t after_sequence = 0;           // Records returned have sequences above this,
        std::uint64_t below_sequence = UINT64_MAX;  // and below this.
    };

    // REQUIRES: `file` outlives the scanner.
    SegmentScanner(const File& file, std::uint32_t seed, Range range);

    // The next good record, or nothing at the end. Its payload is valid until the next call. Errors: of the file only.
    Result<std::optional<RecordView>> next();

    // Where the last returned record begins, and where the next one should.
    std::uint64_t record_offset() const { return record_offset_; }
    std::uint64_t offset() const { return offset_; }

    // Found so far, tail not included.
    const std::vector<DamagedRange>& damage() const { return damage_; }

    // Bytes after the last good record, once next() returned nothing; empty (offset == end) if there are none.
    DamagedRange tail() const { return {offset_, range_.end}; }
    // Whether the tail looks like one record whose writing was interrupted, rather than like damage.
    bool tail_is_torn() const { return tail_is_torn_; }

private:
    // Makes `count` bytes from `offset` available, or all up to the range's end, and returns them.
    Result<std::string_view> window(std::uint64_t offset, std::size_t count);
    // Decodes at `offset`, reading as much as it takes.
    Result<Decoded> decode_at(std::uint64_t offset, RecordView& record);
    // The first good record that begins at or after `from`.
    Result<bool> resync(std::uint64_t from, RecordView& record, std::uint64_t& found);
    bool in_order(const RecordView& record) const;

    // Constant after construction.
    const File& file_;
    std::uint32_t seed_;
    Range range_;

    std::uint64_t offset_;
    std::uint64_t record_offset_;
    std::uint64_t last_sequence_;
    std::string buffer_;  // The file's bytes from buffer_offset_.
    std::uint64_t buffer_offset_ = 0;
    std::vector<DamagedRange> damage_;
    bool tail_is_torn_ = false;
};

}  // namespace stoker::journal
