// Plays a scheduler against a clock of its own and writes down what happened.
#include "twin/scheduler.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

namespace stoker::twin {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using Kind = SchedulerEvent::Kind;

// 10 ms a step whatever is in it: arithmetic by head.
Profile even() {
    return {.name = "even",
            .step_base = milliseconds{10},
            .kv_blocks = 64,
            .block_tokens = 16,
            .max_batch = 4,
            .max_step_tokens = 64,
            .max_context = 512};
}

class Play {
public:
    explicit Play(const Profile& profile) : scheduler(profile) {}

    void submit(SequenceId id, std::uint32_t prompt, std::uint32_t output, std::vector<BlockHash> prefix = {}) {
        scheduler.submit({id, prompt, output, std::move(prefix)});
        step();
    }

    void step() { scheduler.advance(now, events); }

    // Runs until nothing is due any more, or `limit` has passed.
    void run(Nanos limit = std::chrono::hours{1}) {
        SteadyTime end = now + limit;
        while (scheduler.wake_at() && *scheduler.wake_at() <= end) {
            now = *scheduler.wake_at();
            step();
        }
    }

    // "S1 T1 T1 F1": started, token, finished, and P for pre-empted.
    std::string story() const {
        std::string text;
        for (const auto& event : events) {
            text += (text.empty() ? "" : " ") + std::string(1, "STFP"[static_cast<int>(event.kind)]) +
                    std::to_string(event.id);
        }
        return text;
    }

    std::map<SequenceId, std::uint32_t> tokens() const {
        std::map<SequenceId, std::uint32_t> count;
        for (const auto& event : events) count[event.id] += event.kind == Kind::Token;
        return count;
    }

    milliseconds first(SequenceId id, Kind kind) const {
        for (const auto& event : events) {
            if (event.id == id && event.kind == kind) {
                return std::chrono::duration_cast<milliseconds>(event.at - SteadyTime{});
            }
        }
        return milliseconds{-1};
    }

    Scheduler scheduler;
    SteadyTime now{};
    std::vector<SchedulerEvent> events;
};

TEST(Scheduler, OneSequenceTakesOneStepAToken) {
    Play play(even());
    play.submit(1, 16, 3);
    play.run();
    EXPECT_EQ(play.story(), "S1 T1 T1 T1 F1");
    EXPECT_EQ(play.first(1, Kind::Token), milliseconds{10});
    EXPECT_EQ(play.first(1, Kind::Finished), milliseconds{30});
    EXPECT_EQ(play.scheduler.kv_usage(), 0);
}

TEST(Scheduler, LongPromptIsComputedInChunks) {
    Play play(even());
    play.submit(1, 200, 1);  // 64 + 64 + 64 + 8.
    play.run();
    EXPECT_EQ(play.first(1, Kind::Token), milliseconds{40});
    EXPECT_EQ(play.scheduler.stats().prompt_tokens_computed, 200u);
}

TEST(Scheduler, DecodesGoOnWhileAPromptIsChunked) {
    Play play(even());
    play.submit(1, 16, 10);
    play.submit(2, 200, 1);
    play.run(milliseconds{30});
    EXPECT_EQ(play.tokens()[1], 3u);
    EXPECT_EQ(play.tokens()[2], 0u);
}

TEST(Scheduler, FullBatchMakesOthersWaitInOrder) {
    Play play(even());
    for (SequenceId id = 1; id <= 6; ++id) play.submit(id, 4, id == 1 ? 2 : 3);
    EXPECT_EQ(play.scheduler.waiting(), 5u);  // The first step began with the first alone.
    play.run(milliseconds{10});
    EXPECT_EQ(play.scheduler.running(), 4u);
    EXPECT_EQ(play.scheduler.waiting(), 2u);
    play.run();
    for (SequenceId id = 2; id <= 6; ++id) EXPECT_EQ(play.tokens()[id], 3u) << id;
    EXPECT_LE(play.first(5, Kind::Started), play.first(6, Kind::Started));
}

TEST(Scheduler, ExhaustedCachePreemptsTheLastAndLosesNoToken) {
    Profile profile = even();
    profile.kv_blocks = 32;
    Play play(profile);
    play.submit(1, 250, 200);
    play.submit(2, 250, 200);  // 2 x 29 blocks do not fit into 32.
    play.run();
    EXPECT_GT(play.scheduler.stats().preemptions, 0u);
    EXPECT_EQ(play.first(1, Kind::Preempted), milliseconds{-1});
    EXPECT_EQ(play.tokens()[1], 200u);
    EXPECT_EQ(play.tokens()[2], 200u);
    EXPECT_EQ(play.scheduler.kv_usage(), 0);
}

TEST(Scheduler, CommonPrefixIsComputedOnce) {
    Play play(even());
    std::vector<BlockHash> prefix{11, 12, 13, 14};
    play.submit(1, 64, 1, prefix);
    play.run();
    play.submit(2, 64, 1, prefix);
    play.run();
    EXPECT_EQ(play.scheduler.stats().prefix_hits, 48u);  // The last block is computed for its last token.
    EXPECT_EQ(play.scheduler.stats().prompt_tokens_computed, 64u + 16u);
    EXPECT_EQ(play.scheduler.kv_usage(), 0);  // Cached but unused counts as free.
}

TEST(Scheduler, CancelFreesEverything) {
    Play play(even());
    play.submit(1, 100, 100);
    play.submit(2, 100, 100);
    play.run(milliseconds{50});
    EXPECT_GT(play.scheduler.kv_usage(), 0);
    play.scheduler.cancel(1);
    play.scheduler.cancel(2);
    play.scheduler.cancel(3);
    play.run();
    EXPECT_EQ(play.scheduler.kv_usage(), 0);
    EXPECT_EQ(play.scheduler.running() + play.scheduler.waiting(), 0u);
    EXPECT_FALSE(play.scheduler.wake_at());
}

TEST(Scheduler, WithheldCacheStopsAllAndItsReturnGoesOn) {
    Play play(even());
    play.submit(1, 20, 30);
    play.run(milliseconds{30});
    play.scheduler.set_kv_withheld(1);
    play.run();
    EXPECT_EQ(play.scheduler.running(), 0u);
    EXPECT_EQ(play.scheduler.waiting(), 1u);
    EXPECT_EQ(play.scheduler.kv_usage(), 1);
    play.scheduler.set_kv_withheld(0);
    play.step();
    play.run();
    EXPECT_EQ(play.tokens()[1], 30u);
}

TEST(Scheduler, SlowdownStretchesSteps) {
    Play play(even());
    play.scheduler.set_slowdown(3);
    play.submit(1, 4, 2);
    play.run();
    EXPECT_EQ(play.first(1, Kind::Finished), milliseconds{60});
}

TEST(Scheduler, LateDriverGetsEventsAtTheTimesTheyHappened) {
    Play play(even());
    play.submit(1, 4, 3);
    play.now += milliseconds{500};
    play.step();
    EXPECT_EQ(play.story(), "S1 T1 T1 T1 F1");
    EXPECT_EQ(play.first(1, Kind::Finished), milliseconds{30});
}

// Whatever comes, every sequence gets exactly its tokens, and the cache is empty at the end.
TEST(Scheduler, RandomWorkloadsAddUp) {
    for (unsigned seed = 1; seed <= 40; ++seed) {
        std::mt19937 random(seed);
        Profile profile = even();
        profile.kv_blocks = 32 + random() % 40;
        profile.max_batch = 1 + random() % 12;
        profile.max_step_tokens = profile.max_batch + random() % 100;
        Play play(profile);
        std::map<SequenceId, std::uint32_t> expected;
        std::vector<SequenceId> cancelled;
        for (SequenceId id = 1; id <= 60; ++id) {
            std::uint32_t prompt = 1 + random() % 250;
            std::uint32_t output = 1 + random() % 200;
            std::vector<BlockHash> prefix;
            for (std::uint32_t block = 0; block < prompt / 16; ++block) prefix.push_back(random() % 3 * 1000 + block);
            // Chained hashes never meet again after they differ.
            for (std::size_t i = 1; i < prefix.size(); ++i) prefix[i] = prefix[i] * 31 + prefix[i - 1];
            play.submit(id, prompt, output, std::move(prefix));
            expected[id] = output;
            play.run(milliseconds{random() % 60});
            if (random() % 8 == 0) {
                play.scheduler.cancel(id);
                cancelled.push_back(id);
            }
            play.scheduler.set_kv_withheld(random() % 10 == 0 ? 0.5 : 0);
        }
        play.scheduler.set_kv_withheld(0);
        play.step();
        play.run();
        auto got = play.tokens();
        for (SequenceId id : cancelled) {
            EXPECT_LE(got[id], expected[id]);
            got[id] = expected[id];
        }
        EXPECT_EQ(got, expected) << "seed " << seed;
        EXPECT_EQ(play.scheduler.kv_usage(), 0) << "seed " << seed;
    }
}

TEST(Profiles, AllAreUsable) {
    for (const auto& profile : profiles()) {
        EXPECT_TRUE(find_profile(profile.name).has_value());
        if (!profile.instant()) Scheduler scheduler(profile);
    }
    auto missing = find_profile("h200");
    ASSERT_FALSE(missing.has_value());
    EXPECT_NE(missing.error().message.find("tiny"), std::string::npos);
}

}  // namespace
}  // namespace stoker::twin
