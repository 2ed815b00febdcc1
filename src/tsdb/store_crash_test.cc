// What survives: SIGKILL at any moment, a disk that takes no more, and many threads at once.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <random>
#include <thread>

#include "tsdb/store_fixture.h"

namespace stoker::tsdb {
namespace {

using testing::at;
using testing::content;
using testing::Content;
using testing::TempFolder;
using testing::TestStore;

constexpr std::int64_t kStart = 1'700'000'000'000;
constexpr int kSeries = 40;

double value_of(int series, std::int64_t step) {
    return static_cast<double>(series) * 1000 + static_cast<double>(step % 777) / 10;
}

// Appends one step of all series after the other, maintains now and then, and writes each acknowledged step to the
// pipe.
[[noreturn]] void append_until_killed(const std::string& folder, std::int64_t first_step, int acknowledged) {
    metrics::Registry registry;
    auto store = Store::open(folder, {.checkpoint_bytes = 50'000}, registry);
    if (!store) {
        ::_exit(2);
    }
    std::thread([&] {
        for (std::int64_t i = 0;; ++i) {
            (void)(*store)->maintain(from_millis(kStart + first_step * 1000 + i * 10));
        }
    }).detach();
    for (std::int64_t step = first_step;; ++step) {
        std::vector<SeriesSample> batch;
        for (int s = 0; s < kSeries; ++s) {
            batch.push_back(at("m" + std::to_string(s), kStart + step * 1000, value_of(s, step)));
        }
        if (!(*store)->append(batch) || ::write(acknowledged, &step, sizeof(step)) != sizeof(step)) {
            ::_exit(3);
        }
    }
}

// This program once more, running one of the parts below: a fork alone would lack RocksDB's threads.
pid_t start_part(const std::string& part, const std::vector<std::string>& arguments) {
    const pid_t child = ::fork();
    if (child == 0) {
        for (std::size_t i = 0; i < arguments.size(); ++i) {
            ::setenv(("PART_" + std::to_string(i)).c_str(), arguments[i].c_str(), 1);
        }
        const std::string filter = "--gtest_filter=Part.DISABLED_" + part;
        ::execl("/proc/self/exe", "part", filter.c_str(), "--gtest_also_run_disabled_tests", nullptr);
        ::_exit(9);
    }
    return child;
}

std::string argument(int number) {
    const char* value = std::getenv(("PART_" + std::to_string(number)).c_str());
    return value == nullptr ? "" : value;
}

TEST(Part, DISABLED_AppendUntilKilled) {
    if (!argument(0).empty()) {
        append_until_killed(argument(0), std::stoll(argument(1)), std::stoi(argument(2)));
    }
}

// Runs a child for a random while, kills it, and returns the last step that it acknowledged.
std::int64_t run_and_kill(const std::string& folder, std::int64_t first_step, unsigned seed) {
    int pipe_ends[2];
    EXPECT_EQ(::pipe(pipe_ends), 0);
    const pid_t child =
        start_part("AppendUntilKilled", {folder, std::to_string(first_step), std::to_string(pipe_ends[1])});
    ::close(pipe_ends[1]);
    std::mt19937 random(seed);
    const std::size_t wanted = 1 + random() % 300;
    std::int64_t step = 0;
    std::int64_t last = first_step - 1;
    std::size_t seen = 0;
    while (seen < wanted && ::read(pipe_ends[0], &step, sizeof(step)) == sizeof(step)) {
        last = step;
        ++seen;
    }
    EXPECT_EQ(seen, wanted) << "the child died by itself";
    ::kill(child, SIGKILL);
    while (::read(pipe_ends[0], &step, sizeof(step)) == sizeof(step)) {
        last = step;  // Acknowledged before the signal reached it.
    }
    ::close(pipe_ends[0]);
    ::waitpid(child, nullptr, 0);
    return last;
}

TEST(StoreCrash, NothingAcknowledgedIsMissingAfterSigkill) {
    TempFolder folder;
    std::int64_t next_step = 0;
    for (unsigned round = 0; round < 24; ++round) {
        SCOPED_TRACE(round);
        const std::int64_t last = run_and_kill(folder.path(), next_step, round);
        metrics::Registry registry;
        auto store = Store::open(folder.path(), {}, registry);
        ASSERT_TRUE(store.has_value()) << store.error().message;
        const Content found = content(**store);
        ASSERT_EQ(found.size(), static_cast<std::size_t>(kSeries));
        std::int64_t newest = last;
        for (int s = 0; s < kSeries; ++s) {
            const auto& samples = found.at("m" + std::to_string(s));
            ASSERT_GT(static_cast<std::int64_t>(samples.size()), last) << "series " << s;
            for (std::size_t i = 0; i < samples.size(); ++i) {
                const auto step = static_cast<std::int64_t>(i);
                ASSERT_EQ(samples[i].first, kStart + step * 1000);
                ASSERT_EQ(samples[i].second, std::bit_cast<std::uint64_t>(value_of(s, step)));
            }
            newest = std::max(newest, static_cast<std::int64_t>(samples.size()) - 1);
        }
        // A step may be there in part, written but not acknowledged: go on after it. Refill it so that all are equal
        // again.
        std::vector<SeriesSample> rest;
        for (int s = 0; s < kSeries; ++s) {
            for (auto step = static_cast<std::int64_t>(found.at("m" + std::to_string(s)).size()); step <= newest;
                 ++step) {
                rest.push_back(at("m" + std::to_string(s), kStart + step * 1000, value_of(s, step)));
            }
        }
        ASSERT_TRUE((*store)->append(rest).has_value());
        next_step = newest + 1;
    }
}

// In a child, because the limit on file size holds for the whole process.
int append_on_a_full_disk(const std::string& folder) {
    std::signal(SIGXFSZ, SIG_IGN);
    metrics::Registry registry;
    auto store = Store::open(folder, {}, registry);
    if (!store || !(*store)->health()) {
        return 10;
    }
    const rlimit limit{100'000, 100'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    for (std::int64_t i = 0; i < 100'000; ++i) {
        const auto outcome = (*store)->append({at("a", kStart + i, static_cast<double>(i))});
        if (outcome) {
            continue;
        }
        const bool says_so = outcome.error().code == Errc::Unavailable && !(*store)->health();
        const auto again = (*store)->append({at("a", kStart + i + 1, 0)});
        const bool stays = !again && again.error().code == Errc::Unavailable;
        const bool refuses_maintenance = !(*store)->maintain(from_millis(kStart));
        const bool still_reads = content(**store).size() == 1;
        const bool shows = registry.text().find("stoker_tsdb_healthy 0") != std::string::npos;
        return says_so && stays && refuses_maintenance && still_reads && shows && i > 1000 ? 0 : 11;
    }
    return 12;
}

TEST(Part, DISABLED_FullDisk) {
    if (!argument(0).empty()) {
        ::_exit(append_on_a_full_disk(argument(0)));
    }
}

TEST(StoreCrash, AFailedWriteMakesItReadOnlyAndSaysSo) {
    TempFolder folder;
    const pid_t child = start_part("FullDisk", {folder.path()});
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
    metrics::Registry registry;
    auto store = Store::open(folder.path(), {}, registry);
    ASSERT_TRUE(store.has_value()) << store.error().message;
    EXPECT_TRUE((*store)->health().has_value());
    EXPECT_GT(content(**store).at("a").size(), 1000U);
}

// Writers, readers and maintenance at once; each reader must see each series without holes, up to some point.
TEST(StoreThreads, AppendSelectAndMaintainTogether) {
    TestStore store({.checkpoint_bytes = 30'000});
    constexpr int kWriters = 3;
    constexpr std::int64_t kSteps = 1500;
    std::atomic<int> writing{kWriters};
    std::vector<std::thread> threads;
    for (int w = 0; w < kWriters; ++w) {
        threads.emplace_back([&, w] {
            for (std::int64_t step = 0; step < kSteps; ++step) {
                std::vector<SeriesSample> batch;
                for (int s = 0; s < 5; ++s) {
                    batch.push_back(at("w" + std::to_string(w * 5 + s), kStart + step, static_cast<double>(step)));
                }
                // Churn: a series of its own every few steps.
                batch.push_back(at("churn" + std::to_string(w) + "_" + std::to_string(step / 10), kStart + step, 1));
                EXPECT_TRUE((*store).append(batch).has_value());
            }
            --writing;
        });
    }
    threads.emplace_back([&] {
        for (std::int64_t i = 0; writing > 0; ++i) {
            EXPECT_TRUE(store->maintain(from_millis(kStart + i)).has_value());
        }
    });
    threads.emplace_back([&] {
        while (writing > 0) {
            for (const auto& [name, samples] : content(*store, {{"__name__", Matcher::Op::Regex, "w[0-9]+"}})) {
                for (std::size_t i = 0; i < samples.size(); ++i) {
                    ASSERT_EQ(samples[i].first, kStart + static_cast<std::int64_t>(i)) << name;
                }
            }
            (void)store->label_values("__name__", {}, 0, kStart * 2);
            (void)store->stats();
        }
    });
    for (auto& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(content(*store, {{"__name__", Matcher::Op::Regex, "w[0-9]+"}}).size(), kWriters * 5U);
    const Content before = content(*store);
    store.reopen();
    EXPECT_EQ(content(*store), before);
}

}  // namespace
}  // namespace stoker::tsdb
