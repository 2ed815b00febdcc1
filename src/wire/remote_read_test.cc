#include "wire/remote_read.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <protozero/pbf_writer.hpp>
#include <random>

namespace stoker::wire {
namespace {

// Reads a chunk back, bit by bit, by the format's description alone.
class ChunkReader {
public:
    explicit ChunkReader(const std::string& bytes) : bytes_(bytes) {}

    std::vector<std::pair<std::int64_t, std::uint64_t>> all() {
        const std::size_t count = read(16);
        std::vector<std::pair<std::int64_t, std::uint64_t>> samples;
        std::uint64_t time = 0;
        std::uint64_t step = 0;
        for (std::size_t i = 0; i < count; ++i) {
            if (i == 0) {
                const std::uint64_t zigzag = varint();
                time = (zigzag >> 1) ^ (0 - (zigzag & 1));
                value_ = read(64);
            } else {
                step = i == 1 ? varint() : step + change();
                time += step;
                next_value();
            }
            samples.emplace_back(static_cast<std::int64_t>(time), value_);
        }
        return samples;
    }

private:
    std::uint64_t read(int width) {
        std::uint64_t bits = 0;
        for (; width > 0; --width, ++at_) {
            const auto byte = static_cast<std::uint8_t>(bytes_.at(at_ / 8));
            bits = bits << 1 | ((byte >> (7 - at_ % 8)) & 1u);
        }
        return bits;
    }
    std::uint64_t varint() {
        std::uint64_t number = 0;
        for (int shift = 0;; shift += 7) {
            const std::uint64_t byte = read(8);
            number |= (byte & 0x7f) << shift;
            if (byte < 0x80) return number;
        }
    }
    std::uint64_t change() {
        int ones = 0;
        while (ones < 4 && read(1) == 1) ++ones;
        if (ones == 0) return 0;
        const int width = ones == 1 ? 14 : ones == 2 ? 17 : ones == 3 ? 20 : 64;
        const std::uint64_t bits = read(width);
        const bool negative = width < 64 && bits > (std::uint64_t{1} << (width - 1));
        return negative ? bits - (std::uint64_t{1} << width) : bits;
    }
    void next_value() {
        if (read(1) == 0) return;
        if (read(1) == 1) {
            leading_ = static_cast<int>(read(5));
            window_ = static_cast<int>(read(6));
            window_ = window_ == 0 ? 64 : window_;
        }
        value_ ^= read(window_) << (64 - leading_ - window_);
    }

    const std::string& bytes_;
    std::size_t at_ = 0;
    std::uint64_t value_ = 0;
    int leading_ = 0;
    int window_ = 0;
};

void expect_round_trip(const std::vector<std::pair<std::int64_t, double>>& samples) {
    XorChunk chunk;
    std::vector<std::pair<std::int64_t, std::uint64_t>> expected;
    for (const auto& [time, value] : samples) {
        chunk.append(time, value);
        expected.emplace_back(time, std::bit_cast<std::uint64_t>(value));
    }
    if (!samples.empty()) {
        EXPECT_EQ(chunk.min_time(), samples.front().first);
        EXPECT_EQ(chunk.max_time(), samples.back().first);
    }
    const std::string bytes = chunk.take();
    EXPECT_EQ(ChunkReader(bytes).all(), expected);
    EXPECT_EQ(chunk.count(), 0u);
}

TEST(XorChunk, EveryWidthOfTime) {
    for (int bits = 1; bits < 40; ++bits) {
        for (const std::int64_t off : {-1, 0, 1}) {
            const std::int64_t jump = (std::int64_t{1} << bits) + off;
            expect_round_trip({{0, 1}, {1000, 1}, {2000 + jump, 1}, {3000 + jump, 2}, {3001 + jump, 2}});
        }
    }
    expect_round_trip({{-5, 1}});
    expect_round_trip({{std::numeric_limits<std::int64_t>::min(), 1}, {0, 2}, {1, 3}});
}

TEST(XorChunk, EveryWindowOfValues) {
    std::vector<std::pair<std::int64_t, double>> samples;
    for (int bit = 0; bit < 64; ++bit) {
        samples.emplace_back(bit, std::bit_cast<double>(std::uint64_t{1} << bit));
        samples.emplace_back(100 + bit, std::bit_cast<double>(~std::uint64_t{0} >> bit));
    }
    expect_round_trip(samples);
}

TEST(XorChunk, RandomSamples) {
    std::mt19937_64 random(7);
    for (int round = 0; round < 200; ++round) {
        std::vector<std::pair<std::int64_t, double>> samples;
        std::int64_t time = 1'700'000'000'000;
        for (std::size_t i = 0; i < XorChunk::kMaxSamples; ++i) {
            time += 1 + static_cast<std::int64_t>(random() % (round % 2 == 0 ? 20'000 : 3));
            const double value = round % 3 == 0 ? std::bit_cast<double>(random()) : std::floor(random() % 1000 * 0.1);
            samples.emplace_back(time, value);
        }
        expect_round_trip(samples);
    }
}

TEST(XorChunk, KnownBytes) {
    // Two samples 15 s apart, 1 and 1: count, zigzag(1000), the bits of 1.0, varint(15000), one zero bit.
    XorChunk chunk;
    chunk.append(1000, 1);
    chunk.append(16000, 1);
    EXPECT_EQ(chunk.take(), std::string("\x00\x02\xd0\x0f\x3f\xf0\x00\x00\x00\x00\x00\x00\x98\x75\x00", 15));
}

std::string request_message(const std::vector<int>& accepted) {
    std::string message;
    protozero::pbf_writer request(message);
    {
        protozero::pbf_writer query(request, 1);
        query.add_int64(1, 1000);
        query.add_int64(2, 2000);
        protozero::pbf_writer matcher(query, 3);
        matcher.add_enum(1, 2);
        matcher.add_string(2, "job");
        matcher.add_string(3, "a.*");
    }
    for (const int type : accepted) request.add_enum(2, type);
    return message;
}

TEST(RemoteRead, DecodesARequest) {
    const auto request = decode_read_request(request_message({1, 7, 0}));
    ASSERT_TRUE(request);
    ASSERT_EQ(request->queries.size(), 1u);
    EXPECT_EQ(request->queries[0].start, 1000);
    EXPECT_EQ(request->queries[0].end, 2000);
    ASSERT_EQ(request->queries[0].matchers.size(), 1u);
    EXPECT_EQ(request->queries[0].matchers[0].type, ReadMatcher::Type::Regex);
    EXPECT_EQ(request->queries[0].matchers[0].value, "a.*");
    EXPECT_EQ(request->accepted,
              (std::vector<ReadResponseType>{ReadResponseType::StreamedXorChunks, ReadResponseType::Samples}));
    EXPECT_EQ(decode_read_request(request_message({}))->accepted,
              (std::vector<ReadResponseType>{ReadResponseType::Samples}));
    EXPECT_TRUE(decode_read_request(request_message({9}))->accepted.empty());
}

TEST(RemoteRead, RefusesNonsenseAndTooMuch) {
    EXPECT_EQ(decode_read_request("\x0a\x7f").error().code, Errc::InvalidArgument);
    EXPECT_EQ(decode_read_request(request_message({}) + request_message({}), {.max_queries = 1}).error().code,
              Errc::ResourceExhausted);
    EXPECT_EQ(decode_read_request(request_message({}), {.max_matchers = 0}).error().code, Errc::ResourceExhausted);
}

TEST(RemoteRead, FramesAMessage) {
    std::string out;
    append_read_frame("abc", 0x01020304, out);
    EXPECT_EQ(out, std::string("\x03\x01\x02\x03\x04") + "abc");
}

}  // namespace
}  // namespace stoker::wire
