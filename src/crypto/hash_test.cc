#include "crypto/hash.h"

#include <gtest/gtest.h>

#include <set>

#include "crypto/random.h"

namespace stoker::crypto {
namespace {

TEST(Sha256, OfTheStandardsExamples) {
    EXPECT_EQ(to_hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(to_hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(to_hex(sha256(std::string(1'000'000, 'a'))),
              "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Digest, GoesThroughHex) {
    const Digest digest = sha256("abc");
    EXPECT_EQ(digest_from_hex(to_hex(digest)), digest);
    EXPECT_EQ(digest_from_hex("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"), digest);
    EXPECT_FALSE(digest_from_hex(""));
    EXPECT_FALSE(digest_from_hex(to_hex(digest) + "00"));
    EXPECT_FALSE(digest_from_hex(std::string(64, 'g')));
}

TEST(Digest, ComparesEveryByte) {
    const Digest digest = sha256("abc");
    for (std::size_t i = 0; i < digest.size(); ++i) {
        Digest other = digest;
        other[i] ^= 1;
        EXPECT_FALSE(equal_in_constant_time(digest, other)) << i;
    }
    EXPECT_TRUE(equal_in_constant_time(digest, sha256("abc")));
}

TEST(RandomText, HasTheLengthAndAllTheLetters) {
    const std::string text = random_text(4000, "abcde");
    EXPECT_EQ(text.size(), 4000);
    EXPECT_EQ(std::set<char>(text.begin(), text.end()), (std::set<char>{'a', 'b', 'c', 'd', 'e'}));
    EXPECT_NE(random_text(40, "ab"), random_text(40, "ab"));
    EXPECT_EQ(random_text(0, "ab"), "");
}

}  // namespace
}  // namespace stoker::crypto
