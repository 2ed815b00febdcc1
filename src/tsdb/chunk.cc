#include "tsdb/chunk.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.h"
#include "tsdb/bytes.h"
#include "tsdb/codec_dense.h"
#include "tsdb/codec_packed.h"
#include "tsdb/codec_xor.h"
#include "tsdb/histogram_chunk.h"

namespace stoker::tsdb {

namespace {

// 16 bytes a sample, no tricks: what every other encoding is checked against.
class PlainCodec : public ChunkCodec {
public:
    Encoding encoding() const override { return Encoding::Plain; }

    bool encode(std::span<const Sample> samples, std::string& out) const override {
        for (const Sample& sample : samples) {
            put_fixed(out, sample.time);
            put_fixed(out, sample.value);
        }
        return true;
    }

    bool decode(std::string_view payload, std::size_t count, std::vector<Sample>& out) const override {
        ByteReader reader(payload);
        for (std::size_t i = 0; i < count; ++i) {
            const auto time = reader.fixed<std::int64_t>();
            const auto value = reader.fixed<double>();
            out.push_back({time, value});
        }
        return reader.ok() && reader.at_end();
    }
};

std::string chunk_header(Encoding encoding, std::size_t count) {
    std::string out;
    out += static_cast<char>(encoding);
    put_varint(out, count);
    return out;
}

}  // namespace

const ChunkCodec* codec_of(Encoding encoding) {
    static const PlainCodec plain;
    static const XorCodec xor_codec;
    static const PackedCodec packed;
    static const DenseCodec dense;
    switch (encoding) {
        case Encoding::Plain:
            return &plain;
        case Encoding::Xor:
            return &xor_codec;
        case Encoding::Packed:
            return &packed;
        case Encoding::Dense:
            return &dense;
        case Encoding::HistogramRows:
            break;
    }
    return nullptr;
}

std::string seal_chunk_as(Encoding encoding, std::span<const Sample> samples) {
    STOKER_CHECK(!samples.empty() && samples.size() <= kMaxChunkSamples);
    std::string out = chunk_header(encoding, samples.size());
    return codec_of(encoding)->encode(samples, out) ? out : std::string();
}

std::string seal_chunk(std::span<const Sample> samples) {
    constexpr std::size_t kSurelyGood = 3;  // Bytes a sample: below, XOR doesn't come close.
    std::string dense = seal_chunk_as(Encoding::Dense, samples);
    if (!dense.empty() && dense.size() < kSurelyGood * samples.size()) {
        return dense;
    }
    std::string best = seal_chunk_as(Encoding::Xor, samples);
    return !dense.empty() && dense.size() < best.size() ? dense : best;
}

bool has_histograms(std::string_view sealed) {
    return !sealed.empty() && static_cast<Encoding>(sealed[0]) == Encoding::HistogramRows;
}

Result<Unit> read_chunk(std::string_view sealed, std::vector<Sample>& out) {
    ByteReader reader(sealed);
    const auto* codec = codec_of(static_cast<Encoding>(reader.fixed<std::uint8_t>()));
    const std::uint64_t count = reader.varint();
    if (!reader.ok() || codec == nullptr || count == 0 || count > kMaxChunkSamples) {
        return Error{Errc::Corruption, "chunk with a malformed header"};
    }
    if (!codec->decode(reader.rest(), count, out)) {
        return Error{Errc::Corruption, "chunk with a malformed body"};
    }
    return Unit{};
}

Result<Unit> read_chunk(std::string_view sealed, std::vector<Sample>& out, std::vector<HistogramPtr>& histograms) {
    if (!has_histograms(sealed)) {
        TRY_UNIT(read_chunk(sealed, out));
        if (!histograms.empty()) {
            histograms.resize(out.size());
        }
        return Unit{};
    }
    ByteReader reader(sealed.substr(1));
    const std::uint64_t count = reader.varint();
    histograms.resize(out.size());
    if (!reader.ok() || count == 0 || count > kMaxChunkSamples ||
        !decode_histogram_rows(reader.rest(), count, out, histograms)) {
        return Error{Errc::Corruption, "malformed chunk of histograms"};
    }
    return Unit{};
}

void OpenChunk::append(Sample sample) {
    if (count_ == 0) {
        bits_.write(static_cast<std::uint64_t>(sample.time), 64);
        bits_.write(std::bit_cast<std::uint64_t>(sample.value), 64);
        first_time_ = sample.time;
        last_delta_ = 0;
    } else {
        append_time(sample.time);
        append_value(sample.value);
    }
    last_time_ = sample.time;
    last_value_ = sample.value;
    ++count_;
}

void OpenChunk::append_time(std::int64_t time) {
    const std::int64_t delta = wrapping_sub(time, last_time_);
    write_xor_time(bits_, wrapping_sub(delta, last_delta_));
    last_delta_ = delta;
}

void OpenChunk::append_value(double value) {
    const std::uint64_t difference = std::bit_cast<std::uint64_t>(value) ^ std::bit_cast<std::uint64_t>(last_value_);
    if (difference == 0) {
        bits_.write(0, 1);
        return;
    }
    // The format has five bits for the leading zeros.
    const auto leading = static_cast<std::uint8_t>(std::min(std::countl_zero(difference), 31));
    const auto trailing = static_cast<std::uint8_t>(std::countr_zero(difference));
    const auto window_trailing = static_cast<std::uint8_t>(64 - leading_ - meaningful_);
    if (meaningful_ != 0 && leading >= leading_ && trailing >= window_trailing) {
        bits_.write(0b10, 2);
        bits_.write(difference >> window_trailing, meaningful_);
        return;
    }
    leading_ = leading;
    meaningful_ = static_cast<std::uint8_t>(64 - leading - trailing);
    bits_.write(0b11, 2);
    bits_.write(leading, 5);
    bits_.write(meaningful_ - 1U, 6);
    bits_.write(difference >> trailing, meaningful_);
}

std::string OpenChunk::snapshot() const {
    std::string out;
    out.reserve(bits_.bytes().size() + 4);
    out = chunk_header(Encoding::Xor, count_);
    out += bits_.bytes();
    return out;
}

std::string_view OpenChunk::snapshot(std::pmr::memory_resource& room) const {
    const std::string header = chunk_header(Encoding::Xor, count_);  // Short enough to need no memory of its own.
    const std::string_view payload = bits_.bytes();
    auto* const bytes = static_cast<char*>(room.allocate(header.size() + payload.size(), 1));
    std::memcpy(bytes, header.data(), header.size());
    std::memcpy(bytes + header.size(), payload.data(), payload.size());
    return {bytes, header.size() + payload.size()};
}

void OpenChunk::save(std::string& out) const {
    put_varint(out, count_);
    put_varint(out, zigzag(first_time_));
    put_varint(out, zigzag(last_time_));
    put_varint(out, zigzag(last_delta_));
    put_fixed(out, last_value_);
    out += static_cast<char>(leading_);
    out += static_cast<char>(meaningful_);
    put_varint(out, bits_.bits());
    out += bits_.bytes();
}

Result<OpenChunk> OpenChunk::load(std::string_view bytes) {
    ByteReader reader(bytes);
    Result<OpenChunk> chunk = load(reader);
    if (chunk && !reader.at_end()) {
        return Error{Errc::Corruption, "open chunk with more behind it"};
    }
    return chunk;
}

Result<OpenChunk> OpenChunk::load(ByteReader& reader) {
    OpenChunk chunk;
    const std::uint64_t count = reader.varint();
    chunk.first_time_ = unzigzag(reader.varint());
    chunk.last_time_ = unzigzag(reader.varint());
    chunk.last_delta_ = unzigzag(reader.varint());
    chunk.last_value_ = reader.fixed<double>();
    chunk.leading_ = reader.fixed<std::uint8_t>();
    chunk.meaningful_ = reader.fixed<std::uint8_t>();
    const std::uint64_t bits = reader.varint();
    const bool sound = reader.ok() && count <= kMaxChunkSamples && chunk.leading_ + chunk.meaningful_ <= 64 &&
                       bits <= reader.rest().size() * 8 && (bits > 0) == (count > 0);
    if (!sound) {
        return Error{Errc::Corruption, "malformed open chunk"};
    }
    chunk.count_ = static_cast<std::uint16_t>(count);
    if (bits > 0) {
        chunk.bits_ = BitWriter(reader.rest(), bits);
    }
    reader.skip((bits + 7) / 8);
    return chunk;
}

}  // namespace stoker::tsdb
