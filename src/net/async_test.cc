#include "net/async.h"

#include <stdexcept>

#include "net/loopback_test.h"

namespace stoker::net {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

class AsyncTest : public testing::Test {
protected:
    AsyncTest() : loops_(1), pool_(2) { loops_.start(); }
    ~AsyncTest() override {
        pool_.join();
        loops_.stop();
    }

    Loops loops_;
    asio::thread_pool pool_;
};

asio::awaitable<Result<int>> number_after(Duration wait) {
    CO_TRY_UNIT(co_await sleep_for(wait));
    co_return 7;
}

asio::awaitable<Result<int>> throws_after(Duration wait) {
    (void)co_await sleep_for(wait);
    throw std::runtime_error("as asked");
}

TEST_F(AsyncTest, WithDeadlineGivesTheResultInTime) {
    const auto result = test::run(loops_.at(0), with_deadline(number_after(Duration{1}), Duration{5000}));
    ASSERT_TRUE(result);
    EXPECT_EQ(*result, 7);
}

TEST_F(AsyncTest, WithDeadlineCancelsTheWork) {
    const auto start = std::chrono::steady_clock::now();
    const auto result = test::run(loops_.at(0), with_deadline(number_after(Duration{9000}), Duration{20}));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::DeadlineExceeded);
    EXPECT_EQ(result.error().message, "no result within 20ms");
    EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
}

TEST_F(AsyncTest, WithDeadlinePassesExceptionsOnAtOnce) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_THROW((void)test::run(loops_.at(0), with_deadline(throws_after(Duration{1}), Duration{9000})),
                 std::runtime_error);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
}

asio::awaitable<Result<int>> nested() {
    co_return co_await with_deadline(number_after(Duration{9000}), Duration{8000});
}

TEST_F(AsyncTest, DeadlinesNest) {
    const auto result = test::run(loops_.at(0), with_deadline(nested(), Duration{20}));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::DeadlineExceeded);
    EXPECT_EQ(result.error().message, "no result within 20ms");
}

struct Threads {
    std::thread::id before;
    std::thread::id work;
    std::thread::id after;
};

asio::awaitable<Threads> visit_pool(asio::thread_pool& pool) {
    Threads threads;
    threads.before = std::this_thread::get_id();
    std::function<std::thread::id()> work = [] { return std::this_thread::get_id(); };
    threads.work = co_await run_on(pool, std::move(work));
    threads.after = std::this_thread::get_id();
    co_return threads;
}

TEST_F(AsyncTest, RunOnWorksOnThePoolAndComesBack) {
    for (int i = 0; i < 100; ++i) {
        const Threads threads = test::run(loops_.at(0), visit_pool(pool_));
        EXPECT_EQ(threads.before, threads.after);
        EXPECT_NE(threads.before, threads.work);
    }
}

asio::awaitable<std::thread::id> catch_from_pool(asio::thread_pool& pool) {
    std::function<int()> work = []() -> int { throw std::runtime_error("as asked"); };
    std::thread::id caught;
    try {
        (void)co_await run_on(pool, std::move(work));
    } catch (const std::runtime_error&) {
        caught = std::this_thread::get_id();
    }
    co_return caught;
}

TEST_F(AsyncTest, RunOnThrowsOnTheCallersLoop) {
    const auto caught = test::run(loops_.at(0), catch_from_pool(pool_));
    EXPECT_EQ(caught, test::run(loops_.at(0), visit_pool(pool_)).before);
}

asio::awaitable<Result<std::string>> slow_on_pool(asio::thread_pool& pool) {
    std::function<std::string()> work = [] {
        std::this_thread::sleep_for(50ms);
        return std::string("done");
    };
    co_return co_await run_on(pool, std::move(work));
}

TEST_F(AsyncTest, RunOnUnderADeadlineEndsWithTheWork) {
    const auto result = test::run(loops_.at(0), with_deadline(slow_on_pool(pool_), Duration{5}));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::DeadlineExceeded);
}

TEST(Loops, TakeTurnsAndSurviveExceptions) {
    Loops loops(2);
    EXPECT_EQ(loops.size(), 2u);
    EXPECT_NE(&loops.next(), &loops.next());
    loops.start();
    asio::post(loops.at(0), [] { throw std::runtime_error("as asked"); });
    std::atomic<bool> ran = false;
    asio::post(loops.at(0), [&ran] { ran = true; });
    EXPECT_TRUE(test::eventually([&] { return ran.load(); }));
    loops.stop();
    loops.stop();
}

}  // namespace
}  // namespace stoker::net
