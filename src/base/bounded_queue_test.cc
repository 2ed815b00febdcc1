#include "base/bounded_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

namespace stoker {
namespace {

using namespace std::chrono_literals;

SteadyTime in(std::chrono::milliseconds wait) {
    return std::chrono::steady_clock::now() + wait;
}

TEST(BoundedQueue, RefusesWhenFull) {
    BoundedQueue<int> queue(2, WhenFull::Refuse);
    EXPECT_TRUE(queue.push(1));
    EXPECT_TRUE(queue.push(2));
    EXPECT_FALSE(queue.push(3));
    EXPECT_EQ(queue.lost(), 1U);
    EXPECT_EQ(queue.drain(10), (std::vector<int>{1, 2}));
}

TEST(BoundedQueue, DropsTheOldestWhenFull) {
    BoundedQueue<int> queue(2, WhenFull::DropOldest);
    for (int i = 1; i <= 4; ++i) EXPECT_TRUE(queue.push(i));
    EXPECT_EQ(queue.lost(), 2U);
    EXPECT_EQ(queue.pop(in(0ms)), 3);
    EXPECT_EQ(queue.drain(10), std::vector<int>{4});
}

TEST(BoundedQueue, PopGivesUpAtTheDeadline) {
    BoundedQueue<int> queue(1, WhenFull::Refuse);
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(queue.pop(begin + 20ms), std::nullopt);
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 20ms);
}

TEST(BoundedQueue, CloseWakesAndLetsTheRestBeTaken) {
    BoundedQueue<std::unique_ptr<int>> queue(4, WhenFull::Refuse);
    EXPECT_TRUE(queue.push(std::make_unique<int>(7)));
    std::thread closer([&queue] { queue.close(); });
    EXPECT_EQ(**queue.pop(in(10s)), 7);
    EXPECT_EQ(queue.pop(in(10s)), std::nullopt);
    closer.join();
    EXPECT_TRUE(queue.closed());
    EXPECT_FALSE(queue.push(nullptr));
    EXPECT_EQ(queue.lost(), 0U);
}

TEST(BoundedQueue, EveryElementArrivesOnceOrIsCounted) {
    BoundedQueue<int> queue(8, WhenFull::DropOldest);
    constexpr int kEach = 5000;
    std::atomic<int> taken = 0;
    std::vector<std::thread> producers;
    std::vector<std::thread> consumers;
    for (int i = 0; i < 2; ++i) {
        consumers.emplace_back([&] {
            while (queue.pop(in(10s))) ++taken;
        });
        producers.emplace_back([&] {
            for (int n = 0; n < kEach; ++n) queue.push(n);
        });
    }
    for (auto& thread : producers) thread.join();
    queue.close();
    for (auto& thread : consumers) thread.join();
    EXPECT_EQ(static_cast<std::uint64_t>(taken) + queue.lost(), 2U * kEach);
}

}  // namespace
}  // namespace stoker
