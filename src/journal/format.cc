#include "journal/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <random>

#include "journal/crc32c.h"

namespace stoker::journal {
namespace {

constexpr std::string_view kSegmentMagic = "STOKRJNL";
constexpr std::string_view kSegmentSuffix = ".seg";
constexpr std::size_t kSequenceDigits = 20;

// Offsets in the segment header.
constexpr std::size_t kVersionAt = 8;
constexpr std::size_t kHeaderBytesAt = 12;
constexpr std::size_t kIdAt = 16;
constexpr std::size_t kFirstSequenceAt = 32;
constexpr std::size_t kCreatedAt = 40;
constexpr std::size_t kHeaderChecksumAt = kSegmentHeaderBytes - 4;

// Offsets in a record.
constexpr std::size_t kChecksumAt = 4;
constexpr std::size_t kLengthAt = 8;  // The checksum covers the payload, then the header from here on.
constexpr std::size_t kKindAt = 12;
constexpr std::size_t kSequenceAt = 16;
constexpr std::size_t kTimeAt = 24;

static_assert(std::endian::native == std::endian::little, "the format's integers are copied as they lie in memory");

template <typename T>
void put(char* bytes, std::size_t offset, T value) {
    std::memcpy(bytes + offset, &value, sizeof value);
}

template <typename T>
T get(std::string_view bytes, std::size_t offset) {
    T value{};
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

}  // namespace

std::string to_hex(const JournalId& id) {
    std::string hex;
    for (const char byte : id) hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return hex;
}

JournalId new_journal_id() {
    std::random_device source;
    JournalId id{};
    for (std::size_t offset = 0; offset < id.size(); offset += sizeof(std::uint32_t)) {
        put<std::uint32_t>(id.data(), offset, source());
    }
    return id;
}

std::string encode(const SegmentHeader& header) {
    std::string bytes(kSegmentHeaderBytes, '\0');
    std::copy(kSegmentMagic.begin(), kSegmentMagic.end(), bytes.begin());
    put<std::uint32_t>(bytes.data(), kVersionAt, kFormatVersion);
    put<std::uint32_t>(bytes.data(), kHeaderBytesAt, kSegmentHeaderBytes);
    std::copy(header.id.begin(), header.id.end(), bytes.begin() + kIdAt);
    put<std::uint64_t>(bytes.data(), kFirstSequenceAt, header.first_sequence);
    put<std::int64_t>(bytes.data(), kCreatedAt, to_millis(header.created));
    put<std::uint32_t>(bytes.data(), kHeaderChecksumAt, crc32c(std::string_view(bytes).substr(0, kHeaderChecksumAt)));
    return bytes;
}

Result<SegmentHeader> decode_segment_header(std::string_view bytes) {
    if (bytes.size() < kSegmentHeaderBytes) return Error{Errc::Corruption, "segment header is cut off"};
    if (!bytes.starts_with(kSegmentMagic)) return Error{Errc::Corruption, "not a journal segment"};
    if (get<std::uint32_t>(bytes, kHeaderChecksumAt) != crc32c(bytes.substr(0, kHeaderChecksumAt))) {
        return Error{Errc::Corruption, "segment header has a bad checksum"};
    }
    const auto version = get<std::uint32_t>(bytes, kVersionAt);
    if (version != kFormatVersion) {
        return Error{Errc::Conflict,
                     fmt::format("segment has format version {}, this program knows {}", version, kFormatVersion)};
    }
    SegmentHeader header;
    std::memcpy(header.id.data(), bytes.data() + kIdAt, header.id.size());
    header.first_sequence = get<std::uint64_t>(bytes, kFirstSequenceAt);
    header.created = from_millis(get<std::int64_t>(bytes, kCreatedAt));
    return header;
}

std::uint32_t checksum_seed(const JournalId& id) {
    return crc32c({id.data(), id.size()});
}

std::uint32_t payload_checksum(std::uint32_t seed, std::string_view payload) {
    return crc32c(seed, payload);
}

std::array<char, kRecordHeaderBytes> encode_record_header(std::uint32_t payload_checksum, std::uint64_t sequence,
                                                          Timestamp time, Kind kind, std::uint32_t payload_bytes) {
    std::array<char, kRecordHeaderBytes> bytes{};
    std::copy(kRecordMagic.begin(), kRecordMagic.end(), bytes.begin());
    put<std::uint32_t>(bytes.data(), kLengthAt, payload_bytes);
    put<std::uint16_t>(bytes.data(), kKindAt, static_cast<std::uint16_t>(kind));
    put<std::uint64_t>(bytes.data(), kSequenceAt, sequence);
    put<std::int64_t>(bytes.data(), kTimeAt, to_millis(time));
    const std::string_view checked(bytes.data() + kLengthAt, kRecordHeaderBytes - kLengthAt);
    put<std::uint32_t>(bytes.data(), kChecksumAt, crc32c(payload_checksum, checked));
    return bytes;
}

Decoded decode_record(std::string_view bytes, std::uint32_t seed, RecordView& record, std::size_t& needed) {
    needed = kRecordHeaderBytes;
    const std::string_view magic = bytes.substr(0, kRecordMagic.size());
    if (magic != kRecordMagic.substr(0, magic.size())) return Decoded::Damaged;
    if (bytes.size() < kRecordHeaderBytes) return Decoded::Incomplete;
    const auto length = get<std::uint32_t>(bytes, kLengthAt);
    if (length > kMaxPayloadBytes) return Decoded::Damaged;
    needed = kRecordHeaderBytes + length;
    if (bytes.size() < needed) return Decoded::Incomplete;

    const std::string_view payload = bytes.substr(kRecordHeaderBytes, length);
    const std::string_view checked = bytes.substr(kLengthAt, kRecordHeaderBytes - kLengthAt);
    if (crc32c(crc32c(seed, payload), checked) != get<std::uint32_t>(bytes, kChecksumAt)) return Decoded::Damaged;
    record.sequence = get<std::uint64_t>(bytes, kSequenceAt);
    record.time = from_millis(get<std::int64_t>(bytes, kTimeAt));
    record.kind = static_cast<Kind>(get<std::uint16_t>(bytes, kKindAt));
    record.payload = payload;
    return Decoded::Record;
}

std::string segment_name(std::uint64_t first_sequence) {
    return fmt::format("{:0{}}{}", first_sequence, kSequenceDigits, kSegmentSuffix);
}

std::uint64_t sequence_of_segment(std::string_view name) {
    if (name.size() != kSequenceDigits + kSegmentSuffix.size() || !name.ends_with(kSegmentSuffix)) return 0;
    std::uint64_t sequence = 0;
    const char* const end = name.data() + kSequenceDigits;
    const auto [stop, error] = std::from_chars(name.data(), end, sequence);
    return error == std::errc{} && stop == end ? sequence : 0;
}

}  // namespace stoker::journal
