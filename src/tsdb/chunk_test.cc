#include "tsdb/chunk.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <random>

namespace stoker::tsdb {
namespace {

// Samples compared by bits: NaN payloads and the sign of zero must survive.
std::vector<std::pair<std::int64_t, std::uint64_t>> bits_of(const std::vector<Sample>& samples) {
    std::vector<std::pair<std::int64_t, std::uint64_t>> result;
    for (const Sample& sample : samples) {
        result.emplace_back(sample.time, std::bit_cast<std::uint64_t>(sample.value));
    }
    return result;
}

std::vector<Sample> decoded(std::string_view sealed) {
    std::vector<Sample> samples;
    EXPECT_TRUE(read_chunk(sealed, samples).has_value());
    return samples;
}

void expect_round_trip(const std::vector<Sample>& samples) {
    const auto want = bits_of(samples);
    for (const Encoding encoding : {Encoding::Plain, Encoding::Xor, Encoding::Packed, Encoding::Dense}) {
        const std::string sealed = seal_chunk_as(encoding, samples);
        if (!sealed.empty()) {
            EXPECT_EQ(bits_of(decoded(sealed)), want) << "encoding " << static_cast<int>(encoding);
        }
    }
    EXPECT_EQ(bits_of(decoded(seal_chunk(samples))), want);
    OpenChunk open;
    for (const Sample& sample : samples) {
        open.append(sample);
    }
    EXPECT_EQ(bits_of(decoded(open.snapshot())), want);
}

TEST(Chunk, OpenChunkGoesOnAfterSaveAndLoadAtAnySample) {
    std::mt19937_64 random(5);
    std::vector<Sample> samples;
    for (int i = 0; i < 60; ++i) {
        const double value = i % 3 == 0 ? std::bit_cast<double>(random()) : static_cast<double>(random() % 9);
        samples.push_back({i * 1000 + static_cast<std::int64_t>(random() % 900), value});
    }
    for (std::size_t cut = 0; cut <= samples.size(); ++cut) {
        OpenChunk before;
        for (std::size_t i = 0; i < cut; ++i) {
            before.append(samples[i]);
        }
        std::string saved;
        before.save(saved);
        auto after = OpenChunk::load(saved);
        ASSERT_TRUE(after.has_value());
        for (std::size_t i = cut; i < samples.size(); ++i) {
            after->append(samples[i]);
        }
        EXPECT_EQ(bits_of(decoded(after->snapshot())), bits_of(samples)) << cut;
        for (std::size_t size = 0; size < saved.size(); ++size) {
            EXPECT_FALSE(OpenChunk::load(std::string_view(saved).substr(0, size)).has_value());
        }
    }
}

std::vector<Sample> every_15s(std::size_t count, const std::function<double(std::size_t)>& value) {
    std::vector<Sample> samples;
    for (std::size_t i = 0; i < count; ++i) {
        samples.push_back({1'700'000'000'000 + static_cast<std::int64_t>(i) * 15'000, value(i)});
    }
    return samples;
}

TEST(Chunk, SpecialValuesSurvive) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const double inf = std::numeric_limits<double>::infinity();
    expect_round_trip(
        {{1, 0.0}, {2, -0.0}, {3, nan}, {4, stale_marker()}, {5, inf}, {6, -inf}, {7, 5e-324}, {8, 1e308}});
    expect_round_trip({{0, 1}});
    expect_round_trip(
        {{std::numeric_limits<std::int64_t>::min(), 1}, {0, 2}, {std::numeric_limits<std::int64_t>::max(), 3}});
    expect_round_trip({{1, 9007199254740991.0}, {2, -9007199254740991.0}, {3, 0.1}});
}

TEST(Chunk, RandomSeriesSurviveEveryEncoding) {
    for (unsigned seed = 0; seed < 300; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937_64 random(seed);
        const auto below = [&](std::uint64_t n) { return static_cast<std::int64_t>(random() % n); };
        std::vector<Sample> samples;
        std::int64_t time = below(1ULL << 42);
        double value = static_cast<double>(below(1000));
        const std::int64_t kind = below(6);
        const std::int64_t count = 1 + below(300);
        for (std::int64_t i = 0; i < count; ++i) {
            time += 1 + (below(20) == 0 ? below(1ULL << 40) : 15'000 + below(8));
            switch (kind) {
                case 0:
                    value += static_cast<double>(below(50));
                    break;
                case 1:
                    value = static_cast<double>(below(10'000)) / 100;
                    break;
                case 2:
                    value = std::bit_cast<double>(random());
                    break;
                case 3:
                    value += below(30) == 0 ? -value : static_cast<double>(below(1ULL << 30));
                    break;
                case 4:
                    value += std::sin(static_cast<double>(i)) * 1e-3;
                    break;
                default:
                    break;
            }
            samples.push_back({time, value});
        }
        expect_round_trip(samples);
    }
}

TEST(Chunk, TypicalMetricsAreSmall) {
    std::mt19937_64 random(7);
    double counter = 1e6;
    const auto size = [](const std::vector<Sample>& samples) {
        return static_cast<double>(seal_chunk(samples).size()) / static_cast<double>(samples.size());
    };
    EXPECT_LT(size(every_15s(240, [](std::size_t) { return 1.0; })), 0.1);
    EXPECT_LT(size(every_15s(240, [&](std::size_t) { return counter += static_cast<double>(random() % 16); })), 0.6);
    EXPECT_LT(size(every_15s(240, [&](std::size_t) { return static_cast<double>(random() % 100) / 100; })), 1.0);
}

// What is on disk is read for ever: these bytes were written by the code of their time.
TEST(Chunk, BytesOfEveryEncodingAreRead) {
    std::vector<Sample> samples;
    for (int i = 0; i < 8; ++i) {
        samples.push_back({1000 + i * 10 + (i > 5 ? 7 : 0), i == 4 ? 90.5 : 0.5 * ((i * 3) % 5)});
    }
    const std::vector<std::pair<Encoding, std::string>> stored{
        {Encoding::Plain,
         "0008e8030000000000000000000000000000f203000000000000000000000000f83ffc03000000000000000000000000"
         "e03f0604000000000000000000000000004010040000000000000000000000a056401a04000000000000000000000000"
         "00002b04000000000000000000000000f83f3504000000000000000000000000e03f"},
        {Encoding::Xor, "010800000000000003e8000000000000000085622bffa006c24ffed24d6ac28c056b079ffc0bcc006000"},
        {Encoding::Packed, "020801040005030104ea020cc01905d00f1407010004"},
        {Encoding::Dense, "040805d00f140107041400b50105000c084fe0018180"},
    };
    for (const auto& [encoding, bytes] : stored) {
        std::string sealed;
        for (std::size_t i = 0; i < bytes.size(); i += 2) {
            sealed += static_cast<char>(std::stoi(bytes.substr(i, 2), nullptr, 16));
        }
        EXPECT_EQ(bits_of(decoded(sealed)), bits_of(samples)) << static_cast<int>(encoding);
        EXPECT_EQ(seal_chunk_as(encoding, samples), sealed) << static_cast<int>(encoding);
    }
}

TEST(Chunk, ARareStepTakesLessThanABit) {
    std::mt19937_64 random(3);
    double value = 50;
    const auto slow =
        every_15s(240, [&](std::size_t) { return value += random() % 16 == 0 ? (random() % 2 == 0 ? 1 : -1) : 0; });
    EXPECT_LT(seal_chunk(slow).size(), 240U / 8 + 24);
}

TEST(Chunk, JitterAndAMissedScrapeStayCheap) {
    std::mt19937_64 random(9);
    std::vector<Sample> samples;
    std::int64_t time = 1'700'000'000'000;
    for (int i = 0; i < 240; ++i) {
        time += 15'000 + static_cast<std::int64_t>(random() % 4) + (i == 100 ? 15'000 : 0);
        samples.push_back({time, 42});
    }
    EXPECT_LT(seal_chunk(samples).size(), 240U * 3 / 8 + 32);
}

TEST(Chunk, DamageIsAnErrorNotACrash) {
    const auto samples = every_15s(100, [](std::size_t i) { return static_cast<double>(i * i) / 7; });
    const auto counters = every_15s(100, [](std::size_t i) { return static_cast<double>(i * i); });
    for (const std::string& sealed :
         {seal_chunk_as(Encoding::Xor, samples), seal_chunk_as(Encoding::Packed, counters),
          seal_chunk_as(Encoding::Dense, counters), seal_chunk_as(Encoding::Plain, samples)}) {
        std::vector<Sample> out;
        for (std::size_t cut = 0; cut + 1 < sealed.size(); ++cut) {
            out.clear();
            EXPECT_FALSE(read_chunk(std::string_view(sealed).substr(0, cut), out).has_value()) << cut;
        }
        std::mt19937_64 random(1);
        for (int i = 0; i < 2000; ++i) {
            std::string damaged = sealed;
            damaged[random() % damaged.size()] = static_cast<char>(random());
            out.clear();
            (void)read_chunk(damaged, out);
        }
    }
}

}  // namespace
}  // namespace stoker::tsdb
