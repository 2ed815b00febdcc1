// Bytes of a segment file: a header, then records one after another. docs/format/journal.md says the same for people.
//
// Everything is little-endian. A record's checksum starts from the journal's own random id, so bytes of another
// journal, or bytes inside a payload that look like a record, never pass for one. Pure functions; thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "journal/journal.h"

namespace stoker::journal {

inline constexpr std::uint32_t kFormatVersion = 1;
inline constexpr std::size_t kSegmentHeaderBytes = 64;
inline constexpr std::size_t kRecordHeaderBytes = 32;
inline constexpr std::size_t kMaxPayloadBytes = std::size_t{256} << 20;  // No length above this is believed.

// Not valid UTF-8, so it can't stand in a JSON payload.
inline constexpr std::string_view kRecordMagic = "\xF5JR\xFA";

using JournalId = std::array<char, 16>;  // Random, made once when the journal is created.
std::string to_hex(const JournalId& id);
JournalId new_journal_id();

struct SegmentHeader {
    JournalId id{};
    std::uint64_t first_sequence = 0;
    Timestamp created;
};

std::string encode(const SegmentHeader& header);
// Errors: Corruption; Conflict for a version that this program doesn't know.
Result<SegmentHeader> decode_segment_header(std::string_view bytes);

// What record checksums of this journal start from.
std::uint32_t checksum_seed(const JournalId& id);

// The checksum of a record comes in two steps, so that the long one can be done before the sequence is known.
std::uint32_t payload_checksum(std::uint32_t seed, std::string_view payload);
std::array<char, kRecordHeaderBytes> encode_record_header(std::uint32_t payload_checksum, std::uint64_t sequence,
                                                          Timestamp time, Kind kind, std::uint32_t payload_bytes);

enum class Decoded : std::uint8_t {
    Record,      // A whole, checked one.
    Incomplete,  // The bytes end before the record does.
    Damaged      // Not a record, or a checksum that doesn't fit.
};

struct RecordView {
    std::uint64_t sequence = 0;
    Timestamp time;
    Kind kind{};
    std::string_view payload;  // Points into the argument of decode_record.

    std::size_t size() const { return kRecordHeaderBytes + payload.size(); }
};

// Reads the record at the beginning of `bytes`. `needed` becomes the number of bytes from there that a decision takes.
Decoded decode_record(std::string_view bytes, std::uint32_t seed, RecordView& record, std::size_t& needed);

// "00000000000000000042.seg" and back; 0 for a name that isn't a segment's.
std::string segment_name(std::uint64_t first_sequence);
std::uint64_t sequence_of_segment(std::string_view name);

}  // namespace stoker::journal
