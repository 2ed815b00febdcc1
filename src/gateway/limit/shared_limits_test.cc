// Gateways that share limits through a real Redis, which is stopped, killed and started again. Without redis-server on
// this machine there is nothing to test.
#include "gateway/limit/shared_limits.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <thread>

#include "net/loops.h"

namespace stoker::gateway {
namespace {

using namespace std::chrono_literals;

bool eventually(const std::function<bool()>& holds) {
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(10ms);
    }
    return true;
}

std::string free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
    ::close(fd);
    return std::to_string(ntohs(address.sin_port));
}

class Redis {
public:
    Redis() : port(free_port()) { start(); }
    ~Redis() { kill(); }

    void start() {
        pid_ = ::fork();
        if (pid_ != 0) return;
        const int null = ::open("/dev/null", O_RDWR);
        ::dup2(null, 1);
        ::execlp("redis-server", "redis-server", "--port", port.c_str(), "--bind", "127.0.0.1", "--save", "", nullptr);
        ::_exit(127);
    }
    void signal(int number) const { ::kill(pid_, number); }
    void kill() {
        if (pid_ <= 0) return;
        signal(SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }

    const std::string port;

private:
    pid_t pid_ = 0;
};

// What a gateway has of it.
struct Sharer {
    explicit Sharer(net::Loops& loops) : shared(std::make_shared<SharedLimits>(limiter, loops.next(), registry)) {
        LimitsOptions options;
        options.each_tenant = {.requests_per_minute = 6, .tokens_per_day = 10'000};
        options.burst = 600s;
        options.each_key = {.concurrent_requests = 8};
        limiter.set(options);
    }
    ~Sharer() { shared->stop(3s); }

    Sharing state() const { return shared->report().state; }

    Limiter limiter;
    metrics::Registry registry;
    std::shared_ptr<SharedLimits> shared;
};

boost::asio::awaitable<LimitVerdict> ask(Sharer& sharer, LimitAsk what) {
    if (sharer.shared->sharing()) co_return co_await sharer.shared->reserve(what);
    co_return sharer.limiter.reserve(what, Moment::now());
}

class SharedLimitsTest : public testing::Test {
protected:
    SharedLimitsTest() {
        if (std::system("command -v redis-server >/dev/null") != 0) return;
        redis_ = std::make_unique<Redis>();
        loops_.start();
        for (int i = 0; i < 3; ++i) sharers_.push_back(std::make_unique<Sharer>(loops_));
        for (const auto& sharer : sharers_) sharer->shared->configure(options());
    }
    ~SharedLimitsTest() override {
        sharers_.clear();
        loops_.stop();
    }
    void SetUp() override {
        if (!redis_) GTEST_SKIP() << "no redis-server";
        ASSERT_TRUE(all(Sharing::Shared));
        ASSERT_TRUE(eventually([&] {  // Each has been told of the others.
            return std::all_of(sharers_.begin(), sharers_.end(),
                               [](const auto& one) { return one->shared->report().gateways == 3; });
        }));
    }

    SharedLimitsOptions options() const {
        SharedLimitsOptions options;
        options.redis.host = "127.0.0.1";
        options.redis.port = redis_->port;
        options.deadline = 500ms;
        return options;
    }
    bool all(Sharing state) {
        return eventually([&] {
            return std::all_of(sharers_.begin(), sharers_.end(),
                               [&](const auto& one) { return one->state() == state; });
        });
    }
    // So many requests at once, by all sharers in turn; those that were admitted.
    std::vector<std::pair<Sharer*, LimitReservation>> flood(int count, LimitAsk what) {
        std::vector<std::pair<Sharer*, std::future<LimitVerdict>>> asked;
        for (int i = 0; i < count; ++i) {
            Sharer& sharer = *sharers_[static_cast<std::size_t>(i) % sharers_.size()];
            asked.emplace_back(&sharer,
                               boost::asio::co_spawn(loops_.next(), ask(sharer, what), boost::asio::use_future));
        }
        std::vector<std::pair<Sharer*, LimitReservation>> admitted;
        for (auto& [sharer, verdict] : asked) {
            const LimitVerdict got = verdict.get();
            if (!got.refusal) admitted.emplace_back(sharer, got.reservation);
        }
        return admitted;
    }
    static void end(const std::vector<std::pair<Sharer*, LimitReservation>>& held, std::int64_t used = 0) {
        for (const auto& [sharer, reservation] : held) {
            sharer->shared->settled(sharer->limiter.settle(reservation, used, true, Moment::now()));
        }
    }
    int admitted(int count, LimitAsk what) {
        const auto held = flood(count, what);
        end(held);
        return static_cast<int>(held.size());
    }
    // What a minute's six have brought since the test began, at most.
    int more() const {
        const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - began_;
        return static_cast<int>(passed.count() / 10) + 1;
    }

    net::Loops loops_{2};
    std::unique_ptr<Redis> redis_;
    std::vector<std::unique_ptr<Sharer>> sharers_;
    const SteadyTime began_ = std::chrono::steady_clock::now();
};

TEST_F(SharedLimitsTest, TogetherTheyAdmitWhatOneWould) {
    const int rate = admitted(300, {.tenant = "a"});
    EXPECT_GE(rate, 60);
    EXPECT_LE(rate, 60 + more());
    const auto held = flood(100, {.key = "k"});
    EXPECT_EQ(held.size(), 8u);
    end(held);
    EXPECT_TRUE(eventually([&] { return admitted(1, {.key = "k"}) == 1; }));
}

TEST_F(SharedLimitsTest, AStoppedRedisIsDoneWithoutAndFoundAgain) {
    EXPECT_EQ(admitted(27, {.tenant = "a"}), 27);
    EXPECT_EQ(admitted(3, {.tenant = "a"}), 3);  // One each: now all know of nearly all.
    redis_->signal(SIGSTOP);
    const auto during = flood(3, {.tenant = "a"});  // They wait for the deadline, and are decided.
    ASSERT_TRUE(all(Sharing::Alone));
    EXPECT_EQ(sharers_[0]->shared->report().gateways, 3);
    const int alone = admitted(120, {.tenant = "a"});
    EXPECT_LE(30 + static_cast<int>(during.size()) + alone, 60 + 3 + more());
    EXPECT_GE(alone, 20);
    redis_->signal(SIGCONT);
    ASSERT_TRUE(all(Sharing::Shared));
    EXPECT_LE(admitted(120, {.tenant = "a"}), more() + 3);
    EXPECT_GE(admitted(120, {.tenant = "b"}), 60);
    end(during);
}

TEST_F(SharedLimitsTest, ARedisThatLostEverythingIsFilledAgain) {
    const auto held = flood(8, {.key = "k"});
    EXPECT_EQ(held.size(), 8u);
    const auto used = flood(45, {.tenant = "a"});
    EXPECT_EQ(used.size(), 45u);
    end(used, 10);
    redis_->kill();
    ASSERT_TRUE(all(Sharing::Alone));
    redis_->start();
    ASSERT_TRUE(all(Sharing::Shared));
    EXPECT_LE(admitted(120, {.tenant = "a"}), 15 + more() + 1);
    EXPECT_EQ(admitted(30, {.key = "k"}), 0);
    end(held);
    EXPECT_TRUE(eventually([&] { return admitted(1, {.key = "k"}) == 1; }));
    // At least what one gateway knew; that of the others since its last request is not in a Redis that lost it.
    for (const LimitLine& line : sharers_[0]->limiter.report(Moment::now()).lines) {
        const bool day = line.name == "a" && line.kind == LimitKind::DayTokens;
        EXPECT_TRUE(!day || line.used >= 150) << line.used;
    }
}

}  // namespace
}  // namespace stoker::gateway
