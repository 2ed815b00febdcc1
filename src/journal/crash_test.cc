// A process that appends is killed at random moments; whatever it had acknowledged must be there afterwards.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <random>
#include <thread>

#include "journal/testing.h"

namespace stoker::journal {
namespace {

using testing::TemporaryDirectory;

constexpr int kKills = 25;
constexpr int kThreads = 3;
const Options kOptions{.segment_bytes = 64 * 1024};

std::string payload_of(std::uint64_t number) {
    return std::to_string(number) + ":" + std::string(number * 7919 % 2000, static_cast<char>('a' + number % 26));
}

// Runs in the child: appends for ever, and writes (sequence, number) of each append to the pipe after it returned.
[[noreturn]] void append_forever(const std::string& directory, int pipe, std::uint64_t number) {
    auto journal = Journal::open(directory, kOptions);
    if (!journal) _exit(1);
    auto work = [&](std::uint64_t start) {
        for (std::uint64_t n = start;; n += kThreads) {
            const auto sequence = (*journal)->append(Kind::Request, payload_of(n), from_millis(1));
            if (!sequence) _exit(2);
            const std::array<std::uint64_t, 2> message{*sequence, n};
            if (::write(pipe, message.data(), sizeof message) != sizeof message) _exit(3);
        }
    };
    std::vector<std::thread> threads;
    for (std::uint64_t t = 1; t < kThreads; ++t) threads.emplace_back(work, number + t);
    work(number);
    _exit(4);
}

// Kills a child that appends after `life` from its first acknowledgement; adds what it acknowledged to `expected`.
void run_and_kill(const std::string& directory, std::chrono::microseconds life,
                  std::vector<std::pair<std::uint64_t, std::uint64_t>>& expected) {
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        ::close(pipe[0]);
        append_forever(directory, pipe[1], expected.size() + 1);
    }
    ::close(pipe[1]);
    std::thread killer;
    std::array<std::uint64_t, 2> message{};
    while (::read(pipe[0], message.data(), sizeof message) == sizeof message) {
        expected.emplace_back(message[0], message[1]);
        if (!killer.joinable()) {
            killer = std::thread([child, life] {
                std::this_thread::sleep_for(life);
                ::kill(child, SIGKILL);
            });
        }
    }
    if (killer.joinable()) killer.join();
    ::close(pipe[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << status;
}

TEST(JournalCrash, NothingAcknowledgedIsMissingAfterAKill) {
    const TemporaryDirectory directory;
    const auto seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    std::vector<std::pair<std::uint64_t, std::uint64_t>> expected;
    for (int kill = 0; kill < kKills; ++kill) {
        const std::chrono::microseconds life(random() % 20'000);
        ASSERT_NO_FATAL_FAILURE(run_and_kill(directory.path(), life, expected));
        auto journal = testing::open(directory, kOptions);
        ASSERT_TRUE(journal);
        EXPECT_TRUE(journal->damage().empty()) << journal->damage()[0].what;
    }

    auto journal = testing::open(directory, kOptions);
    std::map<std::uint64_t, std::string> served;
    std::uint64_t from = 1;
    for (;;) {
        auto records = journal->read(from, 1000);
        ASSERT_TRUE(records);
        if (records->empty()) break;
        for (Record& record : *records) {
            EXPECT_EQ(record.sequence, from) << "a gap";
            from = record.sequence + 1;
            served[record.sequence] = std::move(record.payload);
        }
    }
    ASSERT_GT(expected.size(), static_cast<std::size_t>(kKills));
    for (const auto& [sequence, number] : expected) ASSERT_EQ(served[sequence], payload_of(number)) << sequence;
}

}  // namespace
}  // namespace stoker::journal
