#include "gateway/balance/balancer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <string>
#include <thread>
#include <vector>

namespace stoker::gateway {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kStart{1h};

std::string text(const std::string& about, std::size_t bytes) {
    std::string made;
    for (std::size_t i = 0; made.size() < bytes; ++i) made += about + " " + std::to_string(i) + ", ";
    made.resize(bytes);
    return made;
}

class BalancerTest : public testing::Test {
protected:
    void make(BalanceKind kind, std::vector<std::string> ids = {"a", "b", "c", "d"}) {
        BalanceOptions options;
        options.kind = kind;
        balancer_ = Balancer::create(options, ids, balancer_);
        while (loads_.size() < ids.size()) loads_.emplace_back();
        targets_.clear();
        for (std::size_t i = 0; i < ids.size(); ++i) targets_.push_back({&loads_[i], true});
    }

    Pick pick(const std::string& prompt, const std::string& session = {}) {
        BalanceRequest request;
        request.now = kStart;
        request.model = "tiny";
        request.prompt = prompt;
        request.session = session;
        request.stream = true;
        return balancer_->pick(targets_, request).value();
    }

    std::deque<ReplicaLoad> loads_;
    std::vector<BalanceTarget> targets_;
    std::shared_ptr<Balancer> balancer_;
};

TEST_F(BalancerTest, AGrowingChatStaysWhereItsBeginningIs) {
    for (const BalanceKind kind : {BalanceKind::Prefix, BalanceKind::Score}) {
        balancer_.reset();
        make(kind);
        std::string chat = text("first", 2000);
        const std::size_t home = pick(chat).target;
        for (int turn = 0; turn < 10; ++turn) {
            for (int others = 0; others < 3; ++others) pick(text("other " + std::to_string(turn * 3 + others), 2000));
            const std::size_t known = chat.size() / kPromptBlockBytes * kPromptBlockTokens;
            chat += text("turn " + std::to_string(turn), 700);
            const Pick again = pick(chat);
            EXPECT_EQ(again.target, home);
            EXPECT_EQ(again.estimate.prompt_tokens - again.estimate.new_tokens, static_cast<std::int64_t>(known));
        }
    }
}

TEST_F(BalancerTest, WhatIsCachedForOneModelIsNotForAnother) {
    make(BalanceKind::Prefix);
    BalanceRequest request;
    const std::string prompt = text("chat", 4096);
    request.now = kStart;
    request.prompt = prompt;
    request.model = "base";
    ASSERT_TRUE(balancer_->pick(targets_, request));
    request.model = "adapter";
    EXPECT_EQ(balancer_->pick(targets_, request)->estimate.new_tokens, 1024);
    request.model = "base";
    EXPECT_EQ(balancer_->pick(targets_, request)->estimate.new_tokens, 0);
}

TEST_F(BalancerTest, AReloadKeepsWhatIsKnownOfReplicasThatStay) {
    make(BalanceKind::Score);
    std::vector<std::string> chats;
    std::vector<std::size_t> homes;
    for (int i = 0; i < 8; ++i) {
        chats.push_back(text("chat " + std::to_string(i), 4096));
        homes.push_back(pick(chats.back()).target);
    }
    // "a" goes, "e" comes, and the others change places.
    const std::vector<std::string> ids = {"d", "e", "c", "b"};
    make(BalanceKind::Score, ids);
    for (int i = 0; i < 8; ++i) {
        BalanceRequest request;
        request.now = kStart;
        request.model = "tiny";
        request.prompt = chats[static_cast<std::size_t>(i)];
        std::vector<PickInputs> inputs;
        ASSERT_TRUE(balancer_->explain(targets_, request, inputs));
        for (std::size_t target = 0; target < 4; ++target) {
            const bool its_home =
                std::string(1, static_cast<char>('a' + homes[static_cast<std::size_t>(i)])) == ids[target];
            EXPECT_EQ(inputs[target].view.prefix_tokens, its_home ? 1024 : 0) << i << " " << ids[target];
        }
    }
    balancer_->forget(0);
    EXPECT_EQ(pick(chats[3]).estimate.new_tokens, 1024);
}

TEST_F(BalancerTest, TheEnginesCacheSizeBoundsWhatIsThoughtToBeThere) {
    make(BalanceKind::Prefix, {"only"});
    EngineReport report;
    report.load.at = kStart;
    report.load.kv_tokens = 2048;
    loads_[0].report(report);
    const std::string old = text("old", 4096);
    pick(old);
    EXPECT_EQ(pick(old).estimate.new_tokens, 0);
    pick(text("new", 8192));
    EXPECT_EQ(pick(old).estimate.new_tokens, 1024);
}

TEST_F(BalancerTest, EstimatesFollowWhatIsUsual) {
    make(BalanceKind::LeastTokens);
    EXPECT_EQ(pick(text("x", 400)).estimate.prompt_tokens, 100);
    for (int i = 0; i < 500; ++i) balancer_->note_answer(1000);
    EXPECT_NEAR(static_cast<double>(pick("x").estimate.output_tokens), 1000, 5);
    BalanceRequest request;
    request.now = kStart;
    request.max_tokens = 16;
    EXPECT_EQ(balancer_->pick(targets_, request)->estimate.output_tokens, 16);
}

TEST_F(BalancerTest, ExplainingChangesNothing) {
    make(BalanceKind::Score);
    BalanceRequest request;
    request.now = kStart;
    const std::string prompt = text("chat", 4096);
    request.prompt = prompt;
    std::vector<PickInputs> inputs;
    for (int i = 0; i < 3; ++i) {
        const auto would = balancer_->explain(targets_, request, inputs);
        ASSERT_TRUE(would);
        EXPECT_EQ(would->target, 0u);
        EXPECT_EQ(inputs[0].view.prefix_tokens, 0);
    }
    EXPECT_EQ(balancer_->pick(targets_, request)->target, 0u);
    EXPECT_EQ(balancer_->explain(targets_, request, inputs)->target, 0u);
    EXPECT_LT(inputs[0].score, inputs[1].score);
}

TEST_F(BalancerTest, LoopsMayPickAtOnce) {
    for (const BalanceKind kind : all_balance_kinds()) {
        make(kind);
        std::vector<std::thread> loops;
        for (int loop = 0; loop < 4; ++loop) {
            loops.emplace_back([this, loop] {
                for (int i = 0; i < 300; ++i) {
                    const Pick picked = pick(text("chat " + std::to_string(i % 20), 3000), "s" + std::to_string(i % 5));
                    ReplicaLoad& load = loads_[picked.target];
                    LoadTicket ticket = load.begin(picked.estimate, kStart);
                    if (i % 3 != 0) load.first_token(ticket, kStart + 20ms);
                    if (i % 50 == loop)
                        load.report({.load = {.at = kStart, .running = 2},
                                     .knows_adapters = true,
                                     .adapters = {{.name = "x"}}});
                    (void)load.has_adapter("x");
                    balancer_->note_answer(i);
                    load.end(ticket);
                }
            });
        }
        for (auto& loop : loops) loop.join();
        for (const ReplicaLoad& load : loads_) {
            EXPECT_EQ(load.requests(), 0);
            EXPECT_EQ(load.tokens(), 0);
            EXPECT_EQ(load.prompt_work(), 0);
        }
    }
}

TEST(ReplicaLoad, LatencyRisesAtOnceAndSinksSlowly) {
    ReplicaLoad load;
    EXPECT_EQ(load.first_token_seconds(kStart), 0);
    SteadyTime now = kStart;
    const auto first_token_after = [&](Duration wait) {
        LoadTicket ticket = load.begin({1000, 1000, 100}, now);
        now += wait;
        load.first_token(ticket, now);
        load.end(ticket);
    };
    first_token_after(100ms);
    EXPECT_NEAR(load.first_token_seconds(now), 0.1, 1e-9);
    first_token_after(2s);
    EXPECT_NEAR(load.first_token_seconds(now), 2, 1e-9);
    first_token_after(100ms);
    EXPECT_GT(load.first_token_seconds(now), 1.8);
    EXPECT_LT(load.first_token_seconds(now + 1min), 0.01);
}

TEST(ReplicaLoad, PaceComparesSecondsForTheSameWork) {
    ReplicaLoad fast;
    ReplicaLoad slow;
    SteadyTime now = kStart;
    for (int i = 0; i < 40; ++i) {
        for (auto* load : {&fast, &slow}) {
            LoadTicket ticket = load->begin({1000, 1000, 100}, now);
            load->first_token(ticket, now + (load == &fast ? 100ms : 300ms));
            load->end(ticket);
        }
        now += 500ms;
    }
    EXPECT_NEAR(slow.pace(now).log_seconds_per_token - fast.pace(now).log_seconds_per_token, std::log(350.0 / 150.0),
                1e-6);
    EXPECT_GT(slow.pace(now).weight, 0.9);
    EXPECT_LT(slow.pace(now + 5min).weight, 0.01);
}

}  // namespace
}  // namespace stoker::gateway
