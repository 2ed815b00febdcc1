// A chunk: up to a few hundred samples of one series, compressed, immutable once sealed.
//
// An open chunk is written sample by sample with Gorilla's scheme (times as differences of differences, values as XOR
// with the one before: Pelkonen et al., VLDB 2015). When it is sealed, every encoding is tried over its samples and the
// smallest kept; the first byte of a sealed chunk names its encoding, so new ones can be added without touching old
// data. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tsdb/bits.h"
#include "tsdb/querier.h"

namespace stoker::tsdb {

// An open chunk is sealed once it has so many samples and bytes, or the most: what hardly changes gets longer chunks.
inline constexpr std::size_t kChunkSamples = 240;
inline constexpr std::size_t kChunkBytes = 384;
inline constexpr std::size_t kMostChunkSamples = 960;

// More would be a corrupt count, and a reason to allocate without end.
inline constexpr std::size_t kMaxChunkSamples = 65'535;

// The codes on disk (docs/format/tsdb.md).
enum class Encoding : std::uint8_t { Plain = 0, Xor = 1, Packed = 2, HistogramRows = 3, Dense = 4 };

// One way to write numbers down. Implementations are stateless; encoding_of() finds them.
class ChunkCodec {
public:
    virtual ~ChunkCodec() = default;
    virtual Encoding encoding() const = 0;
    // Appends the samples to `out`; false (and `out` unchanged) if this encoding can't carry them exactly.
    // REQUIRES: samples not empty, times strictly ascending.
    virtual bool encode(std::span<const Sample> samples, std::string& out) const = 0;
    // Appends exactly `count` samples to `out`; false if the payload is malformed.
    virtual bool decode(std::string_view payload, std::size_t count, std::vector<Sample>& out) const = 0;
};

// The codec, or null for a code that nobody knows and for histograms.
const ChunkCodec* codec_of(Encoding encoding);

// A sealed chunk as the store keeps it: encoding, count, payload.
std::string seal_chunk(std::span<const Sample> samples);                        // The smallest encoding.
std::string seal_chunk_as(Encoding encoding, std::span<const Sample> samples);  // "" if it can't carry them.
// Appends the samples of a sealed chunk to `out`. Errors: Corruption.
Result<Unit> read_chunk(std::string_view sealed, std::vector<Sample>& out);
// The same for chunks of either kind: `histograms` stays empty, or becomes as long as `out`.
Result<Unit> read_chunk(std::string_view sealed, std::vector<Sample>& out, std::vector<HistogramPtr>& histograms);
// Whether it holds histograms.
bool has_histograms(std::string_view sealed);

inline constexpr std::int64_t kPartitionMillis = 24LL * 3600 * 1000;

// The day that a time falls into; days before 1970 are negative. A chunk has samples of one day.
constexpr std::int64_t partition_of(std::int64_t time) {
    const std::int64_t day = time / kPartitionMillis;
    return time % kPartitionMillis < 0 ? day - 1 : day;
}

// A chunk that takes no more samples. Shared with queries that are reading it.
struct SealedChunk {
    std::int64_t min_time;
    std::int64_t max_time;
    std::shared_ptr<const std::string> bytes;
};

class ByteReader;

// The chunk that a series is being appended to.
class OpenChunk {
public:
    OpenChunk() = default;
    // An empty chunk that follows one whose last sample this was; max_time() and last_value() tell of it until
    // append().
    explicit OpenChunk(Sample before) : last_time_(before.time), last_value_(before.value) {}

    // REQUIRES: sample.time > max_time() unless empty.
    void append(Sample sample);

    bool empty() const { return count_ == 0; }
    bool full() const {
        return count_ >= kMostChunkSamples || (count_ >= kChunkSamples && bits_.bits() >= kChunkBytes * 8);
    }
    std::size_t count() const { return count_; }
    std::int64_t min_time() const { return first_time_; }
    std::int64_t max_time() const { return last_time_; }
    double last_value() const { return last_value_; }
    std::size_t heap_bytes() const { return bits_.heap_bytes(); }

    // The samples so far as a sealed chunk in the encoding they already have: cheap, for snapshots.
    std::string snapshot() const;
    // The same in memory of `room`.
    std::string_view snapshot(std::pmr::memory_resource& room) const;
    std::string_view payload() const { return bits_.bytes(); }

    // The whole state as bytes, to go on after a restart without decoding anything.
    void save(std::string& out) const;
    // Errors: Corruption.
    static Result<OpenChunk> load(std::string_view bytes);
    // The same from the front of what is left.
    static Result<OpenChunk> load(ByteReader& reader);

private:
    void append_time(std::int64_t time);
    void append_value(double value);

    BitWriter bits_;
    std::int64_t first_time_ = 0;
    std::int64_t last_time_ = 0;
    std::int64_t last_delta_ = 0;
    double last_value_ = 0;
    std::uint16_t count_ = 0;
    std::uint8_t leading_ = 0;     // Of the last window of meaningful bits.
    std::uint8_t meaningful_ = 0;  // 0: no window yet.
};

}  // namespace stoker::tsdb
