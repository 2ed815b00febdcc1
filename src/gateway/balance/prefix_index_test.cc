#include "gateway/balance/prefix_index.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace stoker::gateway {
namespace {

// `count` blocks of a conversation: prompts of the same one share their beginning.
std::vector<PromptHash> prompt(const std::string& conversation, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; text.size() < count * kPromptBlockBytes; ++i) {
        text += conversation + " says " + std::to_string(i) + ". ";
    }
    std::vector<PromptHash> hashes;
    hash_prompt(text, 1, count, hashes);
    return hashes;
}

std::vector<std::uint32_t> match(const PrefixIndex& index, const std::vector<PromptHash>& blocks) {
    std::vector<std::uint32_t> matched(index.slots());
    index.match(blocks, matched);
    return matched;
}

using Counts = std::vector<std::uint32_t>;

TEST(PromptHash, OnlyCommonBeginningsAgree) {
    const std::string text(4 * kPromptBlockBytes, 'a');
    std::string other = text;
    other[2 * kPromptBlockBytes + 7] = 'b';
    std::vector<PromptHash> one;
    std::vector<PromptHash> two;
    hash_prompt(text, 1, 100, one);
    hash_prompt(other, 1, 100, two);
    ASSERT_EQ(one.size(), 4u);
    EXPECT_EQ(one[1], two[1]);
    EXPECT_NE(one[2], two[2]);
    EXPECT_NE(one[3], two[3]);  // The same text, but after another one.
    EXPECT_NE(one[0], one[1]);
    hash_prompt(text, 2, 100, two);
    EXPECT_NE(one[0], two[0]);  // Another model.
    hash_prompt(text + "rest of a block", 1, 100, two);
    EXPECT_EQ(one, two);
    hash_prompt(text, 1, 3, two);
    EXPECT_EQ(two.size(), 3u);
    hash_prompt(text.substr(0, 255), 1, 100, two);
    EXPECT_TRUE(two.empty());
}

TEST(PromptHash, IdsHashAlikeInEveryBuild) {
    // Gateways side by side must agree on where a session belongs: these numbers must never change.
    EXPECT_EQ(stable_hash("chat/127.0.0.1:9001"), stable_hash("chat/127.0.0.1:9001"));
    EXPECT_NE(stable_hash("a"), stable_hash("a", 1));
    EXPECT_NE(stable_hash("a"), stable_hash(std::string_view("a\0", 2)));
    EXPECT_EQ(stable_hash("session-1"), 0x672056715fcd6a78);
}

TEST(PrefixIndex, RemembersPerReplicaHowFarAPromptIsCached) {
    PrefixIndex index(1 << 20, 3);
    const auto chat = prompt("chat", 10);
    EXPECT_EQ(match(index, chat), (Counts{0, 0, 0}));
    index.insert(std::span(chat).first(4), 1);
    index.insert(std::span(chat).first(7), 2);
    EXPECT_EQ(match(index, chat), (Counts{0, 4, 7}));
    EXPECT_EQ(match(index, prompt("other", 10)), (Counts{0, 0, 0}));
    index.forget(2);
    EXPECT_EQ(match(index, chat), (Counts{0, 4, 0}));
}

TEST(PrefixIndex, MemoryIsBoundedWhateverComes) {
    constexpr std::size_t kMemory = 64 * 1024;
    PrefixIndex index(kMemory, 8);
    EXPECT_LE(index.memory_bytes(), kMemory);
    EXPECT_GT(index.memory_bytes(), kMemory / 2);
    for (int i = 0; i < 2000; ++i) index.insert(prompt("flood " + std::to_string(i), 20), i % 8);
    EXPECT_LE(index.memory_bytes(), kMemory);
    EXPECT_EQ(PrefixIndex(1, 8).blocks(), 8u);
    // The last prompt is still there, nearly whole: sets that overflow lose what was used longest ago.
    const auto last = prompt("last", 20);
    index.insert(last, 0);
    EXPECT_EQ(match(index, last)[0], 20u);
}

TEST(PrefixIndex, WhatAnEnginesCacheCanNotHoldAnyMoreIsForgotten) {
    PrefixIndex index(1 << 20, 2);
    index.set_capacity(0, 30);
    const auto old = prompt("old", 10);
    const auto used = prompt("used", 10);
    index.insert(old, 0);
    index.insert(old, 1);
    index.insert(used, 0);
    index.insert(prompt("new", 5), 0);
    index.insert(used, 0);  // No block anew, but used again.
    EXPECT_EQ(match(index, old), (Counts{10, 10}));
    index.insert(prompt("newer", 10), 0);
    EXPECT_EQ(match(index, old)[0], 0u);  // 35 blocks came in, 30 have room.
    EXPECT_EQ(match(index, old)[1], 10u);
    EXPECT_EQ(match(index, used)[0], 10u);
}

TEST(PrefixIndex, ThreadsMayMeet) {
    PrefixIndex index(32 * 1024, 4);
    std::vector<std::thread> threads;
    for (std::size_t thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&index, thread] {
            for (int i = 0; i < 300; ++i) {
                const auto blocks = prompt("chat " + std::to_string(i % 40), 12);
                for (const std::uint32_t found : match(index, blocks)) EXPECT_LE(found, 12u);
                index.insert(blocks, thread);
            }
        });
    }
    for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace stoker::gateway
