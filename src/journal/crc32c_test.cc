#include "journal/crc32c.h"

#include <gtest/gtest.h>

#include <string>

namespace stoker::journal {
namespace {

struct Vector {
    std::string bytes;
    std::uint32_t crc;
};

std::string ascending(int count) {
    std::string bytes;
    for (int i = 0; i < count; ++i) bytes += static_cast<char>(i);
    return bytes;
}

// RFC 3720, appendix B.4, and the check value of the CRC catalogues.
TEST(Crc32c, KnownVectors) {
    std::string down;
    for (int i = 31; i >= 0; --i) down += static_cast<char>(i);
    const Vector vectors[] = {
        {"", 0},
        {"123456789", 0xE3069283},
        {std::string(32, '\0'), 0x8A9136AA},
        {std::string(32, '\xFF'), 0x62A8AB43},
        {ascending(32), 0x46DD794E},
        {down, 0x113FDB5C},
    };
    for (const Vector& vector : vectors) {
        EXPECT_EQ(crc32c(vector.bytes), vector.crc) << vector.bytes.size();
        EXPECT_EQ(internal::crc32c_portable(0, vector.bytes), vector.crc) << vector.bytes.size();
    }
}

TEST(Crc32c, WaysAgreeAtEveryLengthAndSplit) {
    std::string bytes;
    for (int i = 0; i < 70; ++i) {
        EXPECT_EQ(crc32c(bytes), internal::crc32c_portable(0, bytes)) << i;
        for (std::size_t split = 0; split <= bytes.size(); ++split) {
            const std::string_view view = bytes;
            EXPECT_EQ(crc32c(crc32c(view.substr(0, split)), view.substr(split)), crc32c(view));
        }
        bytes += static_cast<char>(i * 37 + 11);
    }
}

}  // namespace
}  // namespace stoker::journal
