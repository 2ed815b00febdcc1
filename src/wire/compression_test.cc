#include "wire/compression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

namespace stoker::wire {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kMost = std::size_t{4} << 20;

std::string sample_text(std::size_t lines) {
    std::string text;
    for (std::size_t i = 0; i < lines; ++i)
        text += "vllm:num_requests_running{i=\"" + std::to_string(i * 7919) + "\"} 1\n";
    return text;
}

std::string deflated(std::string_view body, int window) {
    z_stream stream{};
    deflateInit2(&stream, 6, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY);
    std::string out(deflateBound(&stream, body.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
    stream.avail_in = static_cast<uInt>(body.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(out.size() - stream.avail_out);
    deflateEnd(&stream);
    return out;
}

// "gzip", "zstd"... and the body compressed so.
std::vector<std::pair<std::string, std::string>> all_encodings(std::string_view body) {
    return {{"", std::string(body)},         {"identity", std::string(body)},   {"gzip", gzip_compress(body)},
            {"x-gzip", gzip_compress(body)}, {"zstd", zstd_compress(body)},     {"snappy", snappy_compress(body)},
            {"Deflate", deflated(body, 15)}, {" deflate ", deflated(body, -15)}};
}

// The text, or the error.
std::string read(std::string_view encoding, std::string_view body, std::size_t most = kMost) {
    auto out = decompress(encoding, body, most);
    return out ? *out : std::string(to_string(out.error().code)) + ": " + out.error().message;
}

TEST(Compression, RoundTripsEveryEncoding) {
    for (const std::size_t lines : {0, 1, 100, 30'000}) {
        const std::string text = sample_text(lines);
        for (const auto& [encoding, body] : all_encodings(text)) EXPECT_EQ(read(encoding, body), text) << encoding;
    }
}

TEST(Compression, StopsAtTheLimitAndTakesExactlyThat) {
    const std::string text = sample_text(1000);
    for (const auto& [encoding, body] : all_encodings(text)) {
        EXPECT_EQ(read(encoding, body, text.size()), text) << encoding;
        EXPECT_THAT(read(encoding, body, text.size() - 1), HasSubstr("resource_exhausted")) << encoding;
        EXPECT_THAT(read(encoding, body, 0), HasSubstr("resource_exhausted")) << encoding;
    }
}

TEST(Compression, EveryCutIsAnError) {
    const std::string text = sample_text(20);
    for (const auto& [encoding, body] : all_encodings(text)) {
        if (encoding.empty() || encoding == "identity") continue;
        for (std::size_t cut = 0; cut < body.size(); ++cut) {
            EXPECT_THAT(read(encoding, std::string_view(body).substr(0, cut)), HasSubstr("invalid_argument"))
                << encoding << " cut at " << cut;
        }
    }
}

TEST(Compression, GarbageAndTrailingBytesAreErrors) {
    const std::string text = sample_text(20);
    for (const auto& [encoding, body] : all_encodings(text)) {
        if (encoding.empty() || encoding == "identity") continue;
        EXPECT_THAT(read(encoding, text), HasSubstr("invalid_argument")) << encoding;
        EXPECT_THAT(read(encoding, body + "tail"), HasSubstr("invalid_argument")) << encoding;
    }
    EXPECT_THAT(read("br", text), HasSubstr("unknown content encoding \"br\""));
    EXPECT_THAT(read("snappy", "\xff\xff\xff\x01" + text), HasSubstr("not true"));
}

TEST(Compression, MembersAndFramesFollowEachOther) {
    EXPECT_EQ(read("gzip", gzip_compress("one ") + gzip_compress("") + gzip_compress("two")), "one two");
    EXPECT_EQ(read("zstd", zstd_compress("one ") + zstd_compress("") + zstd_compress("two")), "one two");
}

TEST(Inflater, WorksByteByByte) {
    const std::string text = sample_text(50);
    for (const auto& [encoding, body] : all_encodings(text)) {
        auto inflater = Inflater::create(encoding);
        if (!inflater) continue;
        std::string out;
        char room[7];
        for (std::size_t i = 0; i < body.size(); ++i) {
            std::string_view input = std::string_view(body).substr(i, 1);
            while (true) {
                auto got = (*inflater)->inflate(input, room);
                ASSERT_TRUE(got.has_value()) << encoding << ": " << got.error().message;
                if (*got == 0) break;
                out.append(room, *got);
            }
            EXPECT_EQ((*inflater)->complete(), i + 1 == body.size()) << encoding << " at " << i;
        }
        EXPECT_EQ(out, text) << encoding;
    }
}

}  // namespace
}  // namespace stoker::wire
