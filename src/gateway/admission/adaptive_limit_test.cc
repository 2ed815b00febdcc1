#include "gateway/admission/adaptive_limit.h"

#include <gtest/gtest.h>

#include <cmath>

namespace stoker::gateway {
namespace {

using std::chrono::seconds;

constexpr AdaptiveLimit::Bounds kBounds{.min = 4, .max = 1024, .tolerance = 3};

// An engine that runs `batch` requests and lets the others wait, always under more load than it takes, as one second
// after the other.
class Model {
public:
    explicit Model(double batch, bool reports = true) : batch_(batch), reports_(reports) {}

    void second() {
        now_ += seconds(1);
        const double under_way = limit.limit();
        const double waiting = std::max(0.0, under_way - batch_);
        for (int i = 0; i < 10; ++i) {
            const double queueing = 2 * waiting / batch_;  // A request lasts two seconds.
            limit.note_first_token(0.05 + queueing, 100);
        }
        limit.note_full();
        limit.note_end();
        EngineQueues queues;
        if (reports_ && ++seconds_ % 5 == 0) queues = {now_, std::min(under_way, batch_), waiting};
        limit.update(queues, now_);
    }
    void play(int count) {
        for (int i = 0; i < count; ++i) second();
    }
    void set_batch(double batch) { batch_ = batch; }

    AdaptiveLimit limit{kBounds};

private:
    SteadyTime now_{seconds(1'000'000)};
    double batch_;
    bool reports_;
    int seconds_ = 0;
};

// Many seconds of it: how far from the batch the limit strays.
std::pair<double, double> range(Model& model) {
    double least = 1e9;
    double most = 0;
    for (int i = 0; i < 300; ++i) {
        model.second();
        least = std::min(least, model.limit.limit());
        most = std::max(most, model.limit.limit());
    }
    return {least, most};
}

TEST(AdaptiveLimit, FindsWhatTheEngineRuns) {
    for (const double batch : {8.0, 64.0, 256.0}) {
        for (const bool reports : {true, false}) {
            Model model(batch, reports);
            model.play(60);
            const auto [least, most] = range(model);
            EXPECT_GE(least, batch * (reports ? 0.7 : 0.35)) << batch << reports;  // Without, it looks for the floor.
            EXPECT_LE(most, batch * 1.5) << batch << reports;
        }
    }
}

TEST(AdaptiveLimit, FollowsAnEngineThatChanges) {
    Model model(128);
    model.play(60);
    model.set_batch(16);
    model.play(60);
    EXPECT_LE(model.limit.limit(), 24);
    model.set_batch(128);
    model.play(240);
    EXPECT_GE(model.limit.limit(), 90);
}

TEST(AdaptiveLimit, DoesNotGrowWithoutNeed) {
    AdaptiveLimit limit(kBounds);
    SteadyTime now{seconds(1'000)};
    for (int i = 0; i < 100; ++i) {
        limit.note_end();
        limit.update({}, now += seconds(1));
    }
    EXPECT_EQ(limit.limit(), 4);
    EXPECT_EQ(limit.sign(), LimitSign::Enough);
}

TEST(AdaptiveLimit, DoesNotGrowBlindly) {
    AdaptiveLimit limit(kBounds);
    SteadyTime now{seconds(1'000)};
    for (int i = 0; i < 100; ++i) {
        limit.note_full();
        if (i == 50) limit.note_end();
        limit.update({}, now += seconds(1));
    }
    EXPECT_EQ(limit.limit(), 8);
}

// How many of ten minutes' seconds are spent below, to see the floor.
int seconds_low(bool full, bool reports) {
    AdaptiveLimit limit({.min = 4, .max = 40, .tolerance = 3});
    SteadyTime now{seconds(1'000)};
    int low = 0;
    for (int i = 0; i < 600; ++i) {
        for (int k = 0; k < 10; ++k) limit.note_first_token(0.1, 0);
        if (full) limit.note_full();
        now += seconds(1);
        limit.update(reports ? EngineQueues{now, 40, 0} : EngineQueues{}, now);
        if (i > 10 && limit.limit() == (full ? 20 : 2)) ++low;
    }
    return low;
}

TEST(AdaptiveLimit, LooksForTheFloorWhereNothingElseTells) {
    EXPECT_EQ(seconds_low(true, false), 20);
    EXPECT_EQ(seconds_low(true, true), 0);
    EXPECT_EQ(seconds_low(false, false), 0);
}

TEST(AdaptiveLimit, OneReportCountsOnce) {
    AdaptiveLimit limit({.min = 32, .max = 1024, .tolerance = 3});
    limit.set(kBounds);
    SteadyTime now{seconds(1'000)};
    const EngineQueues queues{now, 20, 10};
    limit.update(queues, now += seconds(1));
    EXPECT_EQ(limit.sign(), LimitSign::EngineQueue);
    const double once = limit.limit();
    EXPECT_NEAR(once, 32 - 8, 1e-9);  // Two may wait.
    limit.update(queues, now += seconds(1));
    EXPECT_EQ(limit.limit(), once);
}

TEST(AdaptiveLimit, StaysWithinItsBounds) {
    AdaptiveLimit limit({.min = 4, .max = 40, .tolerance = 3});
    SteadyTime now{seconds(1'000)};
    for (int i = 0; i < 100; ++i) {
        limit.note_full();
        limit.note_end();
        limit.update({}, now += seconds(1));
    }
    EXPECT_EQ(limit.limit(), 40);
    for (int i = 0; i < 100; ++i) {
        now += seconds(1);
        limit.update({now, 1, 1000}, now);
    }
    EXPECT_EQ(limit.limit(), 4);
}

// Long prompts take longer: that is no sign of anything.
TEST(AdaptiveLimit, ALongerPromptIsNoSign) {
    AdaptiveLimit limit(kBounds);
    SteadyTime now{seconds(1'000)};
    for (int i = 0; i < 20; ++i) {
        const std::int64_t tokens = i % 2 == 0 ? 50 : 8'000;
        for (int k = 0; k < 10; ++k) {
            limit.note_first_token(0.0065 + 38e-6 * static_cast<double>(tokens), tokens);
        }
        limit.update({}, now += seconds(1));
        EXPECT_NE(limit.sign(), LimitSign::FirstToken);
    }
}

TEST(AdaptiveLimit, AFewFirstTokensWaitForMore) {
    AdaptiveLimit limit({.min = 32, .max = 1024, .tolerance = 3});
    limit.set(kBounds);
    SteadyTime now{seconds(1'000)};
    for (int k = 0; k < 5; ++k) limit.note_first_token(0.01, 0);
    limit.update({}, now += seconds(1));
    EXPECT_EQ(limit.ratio(), 1);
    for (int k = 0; k < 4; ++k) limit.note_first_token(1, 0);
    limit.update({}, now += seconds(1));
    EXPECT_EQ(limit.ratio(), 1);
    limit.note_first_token(1, 0);
    limit.update({}, now += seconds(1));
    EXPECT_NEAR(limit.ratio(), 100, 1e-6);
    EXPECT_EQ(limit.sign(), LimitSign::FirstToken);
    EXPECT_NEAR(limit.limit(), 32 * 0.7, 1e-9);
}

// Answers of all lengths, none of them a stream: a queue in the engine that grows past them is a sign.
TEST(AdaptiveLimit, LearnsFromWholeAnswersToo) {
    AdaptiveLimit limit({.min = 32, .max = 1024, .tolerance = 3});
    limit.set(kBounds);
    SteadyTime now{seconds(1'000)};
    const auto play = [&](double queueing, bool streams) {
        for (int k = 1; k <= 10; ++k) {
            limit.note_whole_answer(0.05 + 0.02 * 10 * k + queueing, 100, 10 * k);
            if (streams) limit.note_first_token(0.05, 100);
        }
        limit.update({}, now += seconds(1));
        return limit.sign();
    };
    for (int i = 0; i < 10; ++i) EXPECT_NE(play(0.1 * (i % 2), false), LimitSign::WholeAnswer);
    EXPECT_LT(limit.ratio(), 2);
    EXPECT_EQ(play(4, false), LimitSign::WholeAnswer);
    EXPECT_NEAR(limit.limit(), 32 * 0.7, 1e-9);
    // Where there are streams, they are what counts.
    for (int i = 0; i < 6; ++i) (void)play(4, true);
    for (int i = 0; i < 10; ++i) EXPECT_NE(play(4, true), LimitSign::WholeAnswer);
    EXPECT_EQ(limit.ratio(), 1);
}

TEST(AdaptiveLimit, TheFloorIsOfTheLastTenMinutes) {
    AdaptiveLimit limit(kBounds);
    SteadyTime now{seconds(6'000)};
    const auto play = [&](double ttft) {
        for (int k = 0; k < 5; ++k) limit.note_first_token(ttft, 0);
        limit.update({}, now += seconds(30));
        return limit.ratio();
    };
    EXPECT_EQ(play(0.1), 1);
    for (int i = 0; i < 17; ++i) EXPECT_NEAR(play(0.2), 2, 1e-9);
    for (int i = 0; i < 4; ++i) (void)play(0.2);
    EXPECT_NEAR(play(0.2), 1, 1e-9);
}

}  // namespace
}  // namespace stoker::gateway
