#include "base/byte_scan.h"

#include <gtest/gtest.h>

#include <string>

namespace stoker {
namespace {

// Every byte at every place of texts of every length up to three words.
TEST(ByteScan, SeesEachByteAtEachPlace) {
    for (std::size_t length = 1; length <= 24; ++length) {
        for (std::size_t place = 0; place < length; ++place) {
            for (int byte = 0; byte < 256; ++byte) {
                std::string text(length, 'a');
                text[place] = static_cast<char>(byte);
                EXPECT_EQ(has_control(text), byte < 0x20) << length << ' ' << place << ' ' << byte;
                const bool plain = byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\';
                EXPECT_EQ(is_plain_json(text), plain) << length << ' ' << place << ' ' << byte;
            }
        }
    }
}

// A borrow from the byte below must not be taken for a find, nor hide one.
TEST(ByteScan, NeighboursDoNotDisturb) {
    for (int first = 0; first < 256; ++first) {
        for (int second = 0; second < 256; ++second) {
            const std::string text = {static_cast<char>(first), static_cast<char>(second)};
            EXPECT_EQ(has_control(text), first < 0x20 || second < 0x20) << first << ' ' << second;
        }
    }
}

TEST(ByteScan, NothingIsInNothing) {
    EXPECT_FALSE(has_control(""));
    EXPECT_TRUE(is_plain_json(""));
}

}  // namespace
}  // namespace stoker
