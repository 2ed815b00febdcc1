// Each policy as a table: what it is told, whom it takes.
#include "gateway/balance/balance_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "gateway/balance/prompt_hash.h"

namespace stoker::gateway {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<BalancePolicy> policy(BalanceKind kind, double load_factor = 1.25, std::int64_t slack = 0) {
    BalanceOptions options;
    options.kind = kind;
    options.load_factor = load_factor;
    options.load_slack = slack;
    return BalancePolicy::create(options);
}

// Idle targets of full weight.
std::vector<TargetView> idle(std::size_t count) {
    std::vector<TargetView> targets(count);
    for (std::size_t i = 0; i < count; ++i) targets[i].key = stable_hash("replica " + std::to_string(i));
    return targets;
}

std::vector<TargetView> with_requests(std::vector<std::int64_t> requests) {
    auto targets = idle(requests.size());
    for (std::size_t i = 0; i < requests.size(); ++i) targets[i].requests = requests[i];
    return targets;
}

// The picks of turns 0, 1, ... as digits; '-' for none.
std::string picks(const BalancePolicy& policy, const std::vector<TargetView>& targets, int count,
                  PickFacts facts = {}) {
    std::string text;
    for (int i = 0; i < count; ++i) {
        facts.turn = static_cast<std::uint64_t>(i);
        const auto choice = policy.pick(targets, facts);
        text += choice ? std::to_string(choice->target) : "-";
    }
    return text;
}

std::size_t pick(const BalancePolicy& policy, const std::vector<TargetView>& targets, const PickFacts& facts) {
    return policy.pick(targets, facts).value().target;
}

TEST(Policies, NamesReadBack) {
    for (const BalanceKind kind : all_balance_kinds()) EXPECT_EQ(parse_balance_kind(to_string(kind)), kind);
    EXPECT_FALSE(parse_balance_kind("best"));
}

TEST(Policies, NobodyEligibleNobodyPicked) {
    for (const BalanceKind kind : all_balance_kinds()) {
        auto targets = idle(3);
        for (const std::uint64_t session : {0u, 7u}) {
            PickFacts facts;
            facts.session = session;
            EXPECT_EQ(picks(*policy(kind), {}, 1, facts), "-") << to_string(kind);
            for (auto& target : targets) target.eligible = false;
            EXPECT_EQ(picks(*policy(kind), targets, 2, facts), "--") << to_string(kind);
            targets[1].eligible = true;
            EXPECT_EQ(picks(*policy(kind), targets, 3, facts), "111") << to_string(kind);
        }
    }
}

TEST(Policies, AnIdlePoolIsUsedEvenly) {
    for (const BalanceKind kind : {BalanceKind::Score, BalanceKind::RoundRobin, BalanceKind::LeastRequests,
                                   BalanceKind::LeastTokens, BalanceKind::Prefix, BalanceKind::Session}) {
        EXPECT_EQ(picks(*policy(kind), idle(4), 8), "01230123") << to_string(kind);
    }
}

TEST(RoundRobin, SkipsThoseThatCanNotAndSparesThoseThatRecover) {
    auto targets = with_requests({9, 0, 5, 0});
    targets[1].eligible = false;
    const auto turns = policy(BalanceKind::RoundRobin);
    EXPECT_EQ(picks(*turns, targets, 6), "023023");
    targets[3].weight = 0.25;
    const std::string all = picks(*turns, targets, 3000);
    EXPECT_NEAR(static_cast<double>(std::count(all.begin(), all.end(), '3')), 250, 50);
}

TEST(LeastRequests, Table) {
    const auto least = policy(BalanceKind::LeastRequests);
    EXPECT_EQ(picks(*least, with_requests({2, 1, 1, 3}), 4), "1121");
    auto targets = with_requests({1, 1});
    targets[0].weight = 0.5;  // Has as much as the other would have with four.
    EXPECT_EQ(picks(*least, targets, 2), "11");
    targets[1].requests = 4;
    EXPECT_EQ(picks(*least, targets, 2), "00");
}

TEST(LeastTokens, AFewLongOnesAreMoreThanManyShortOnes) {
    const auto least = policy(BalanceKind::LeastTokens);
    auto targets = with_requests({1, 10});
    targets[0].tokens = 30'000;
    targets[1].tokens = 5'000;
    EXPECT_EQ(picks(*least, targets, 2), "11");
}

TEST(PeakEwma, TakesTheBetterOfTwo) {
    const auto two = policy(BalanceKind::PeakEwma);
    auto targets = idle(4);
    for (auto& target : targets) target.latency_seconds = 0.1;
    targets[2].latency_seconds = 10;  // Chosen only against nobody: never.
    const std::string all = picks(*two, targets, 400);
    EXPECT_EQ(std::count(all.begin(), all.end(), '2'), 0);
    for (const char other : {'0', '1', '3'}) EXPECT_GT(std::count(all.begin(), all.end(), other), 80);
    // Twice as slow but a third of the requests.
    auto pair = with_requests({8, 2});
    pair[0].latency_seconds = 0.1;
    pair[1].latency_seconds = 0.2;
    EXPECT_EQ(picks(*two, pair, 3), "111");
    // Nothing known of one with work under way: the other.
    pair[1].latency_seconds = 0;
    EXPECT_EQ(picks(*two, pair, 3), "000");
    pair[1].requests = 0;
    EXPECT_EQ(picks(*two, pair, 3), "111");
}

// Where each of `count` sessions goes.
std::vector<std::size_t> homes(const BalancePolicy& policy, const std::vector<TargetView>& targets, int count) {
    std::vector<std::size_t> made;
    for (int session = 0; session < count; ++session) {
        PickFacts facts;
        facts.turn = static_cast<std::uint64_t>(session * 7);
        facts.session = stable_hash("session " + std::to_string(session));
        made.push_back(pick(policy, targets, facts));
    }
    return made;
}

TEST(Session, OnlyTheKeysOfALostReplicaMove) {
    constexpr int kSessions = 8000;
    for (const BalanceKind kind : {BalanceKind::Session, BalanceKind::BoundedHash}) {
        const auto sessions = policy(kind);
        auto targets = idle(8);
        const auto before = homes(*sessions, targets, kSessions);
        std::map<std::size_t, int> share;
        for (const std::size_t home : before) ++share[home];
        for (const auto& [target, count] : share) EXPECT_NEAR(count, kSessions / 8, 120) << target;
        targets[3].eligible = false;
        const auto after = homes(*sessions, targets, kSessions);
        std::map<std::size_t, int> heirs;
        for (int i = 0; i < kSessions; ++i) {
            if (before[i] != 3) {
                EXPECT_EQ(after[i], before[i]);
            } else {
                ++heirs[after[i]];
            }
        }
        EXPECT_EQ(heirs.size(), 7u);  // All inherit, not one neighbour.
        for (const auto& [target, count] : heirs) EXPECT_NEAR(count, share[3] / 7, 60) << target;
        targets[3].eligible = true;
        EXPECT_EQ(homes(*sessions, targets, kSessions), before);
    }
}

TEST(Session, AnAddedReplicaTakesItsShareAndNothingElseMoves) {
    const auto sessions = policy(BalanceKind::Session);
    const auto before = homes(*sessions, idle(7), 8000);
    const auto after = homes(*sessions, idle(8), 8000);
    int moved = 0;
    for (std::size_t i = 0; i < before.size(); ++i) {
        if (before[i] == after[i]) continue;
        ++moved;
        EXPECT_EQ(after[i], 7u);
    }
    EXPECT_NEAR(moved, 1000, 120);
}

TEST(BoundedHash, NobodyEverHasMoreThanTheFactorOfItsShare) {
    for (const double factor : {1.0, 1.1, 1.25, 2.0}) {
        const auto bounded = policy(BalanceKind::BoundedHash, factor);
        auto targets = idle(8);
        std::vector<std::size_t> under_way;
        std::uint64_t state = 1;
        for (int step = 0; step < 5000; ++step) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            // Requests come and go; half of them are of one very busy session.
            if (under_way.size() > 40 && (state >> 33) % 2 == 0) {
                const std::size_t ended = (state >> 40) % under_way.size();
                --targets[under_way[ended]].requests;
                under_way.erase(under_way.begin() + static_cast<std::ptrdiff_t>(ended));
                continue;
            }
            PickFacts facts;
            facts.session = (state >> 35) % 2 == 0 ? 42 : state >> 8 | 1;
            const std::size_t target = pick(*bounded, targets, facts);
            ++targets[target].requests;
            under_way.push_back(target);
            const double share = static_cast<double>(under_way.size()) / 8;
            EXPECT_LE(static_cast<double>(targets[target].requests), std::ceil(factor * share)) << factor;
        }
    }
}

TEST(BoundedHash, ComesBackWhenThereIsRoom) {
    const auto bounded = policy(BalanceKind::BoundedHash);
    PickFacts facts;
    facts.session = 99;
    auto targets = idle(4);
    const std::size_t home = pick(*bounded, targets, facts);
    targets[home].requests = 10;
    const auto spilled = bounded->pick(targets, facts);
    EXPECT_NE(spilled->target, home);
    EXPECT_EQ(spilled->reason, PickReason::Spill);
    for (auto& target : targets) target.requests = 10;
    EXPECT_EQ(pick(*bounded, targets, facts), home);
}

TEST(Prefix, GoesWhereMostIsCachedUnlessThatIsMuchBusier) {
    const auto prefix = policy(BalanceKind::Prefix, 1.25, 2);
    PickFacts facts;
    facts.prompt_tokens = 1000;
    auto targets = with_requests({2, 2, 2, 2});
    targets[1].prefix_tokens = 256;
    targets[2].prefix_tokens = 640;
    auto choice = prefix->pick(targets, facts);
    EXPECT_EQ(choice->target, 2u);
    EXPECT_EQ(choice->reason, PickReason::Prefix);
    // Six of twelve: below ceil(1.25 * 13 / 4) + 2. Nine of fifteen: above ceil(1.25 * 16 / 4) + 2.
    targets[2].requests = 6;
    EXPECT_EQ(pick(*prefix, targets, facts), 2u);
    targets[2].requests = 9;
    targets[0].tokens = targets[1].tokens = targets[2].tokens = 5000;
    choice = prefix->pick(targets, facts);
    EXPECT_EQ(choice->target, 3u);
    EXPECT_EQ(choice->reason, PickReason::Spill);
}

// A hot prefix that everybody asks for: with a bound it spreads, without one it would stay on one replica for ever.
TEST(Prefix, AHotPrefixNeverMakesAHotSpot) {
    for (const BalanceKind kind : {BalanceKind::Prefix, BalanceKind::Score}) {
        const auto spread = policy(kind, 1.25, 4);
        auto targets = idle(8);
        PickFacts facts;
        facts.prompt_tokens = 2000;
        facts.output_tokens = 200;
        for (int step = 0; step < 400; ++step) {  // None of them ends: the worst case.
            facts.turn = static_cast<std::uint64_t>(step);
            TargetView& chosen = targets[pick(*spread, targets, facts)];
            ++chosen.requests;
            chosen.tokens += 2200;
            chosen.prompt_work += facts.prompt_tokens - chosen.prefix_tokens;
            chosen.prefix_tokens = 1984;
        }
        for (const auto& target : targets) EXPECT_LE(target.requests, std::ceil(1.25 * 400 / 8) + 5) << to_string(kind);
    }
}

// One thing about the second of two otherwise equal targets, and whom a prompt of 1000 tokens then goes to.
struct ScoreCase {
    std::string name;
    std::function<void(TargetView&)> change;
    std::size_t picked;
};

TEST(Score, Table) {
    const auto fresh = [](TargetView& t) {
        t.fresh = 1;
        t.engine.at = SteadyTime{1h};
    };
    const std::vector<ScoreCase> cases = {
        {"it has the prefix", [](TargetView& t) { t.prefix_tokens = 512; }, 1},
        {"it has more requests", [](TargetView& t) { t.requests = 5; }, 0},
        {"it has prompts to compute", [](TargetView& t) { t.prompt_work = 1000; }, 0},
        {"the prefix saves more than the queue costs",
         [](TargetView& t) {
             t.prefix_tokens = 900;
             t.prompt_work = 800;
         },
         1},
        {"the queue costs more than the prefix saves",
         [](TargetView& t) {
             t.prefix_tokens = 900;
             t.prompt_work = 1000;
         },
         0},
        {"it recovers", [](TargetView& t) { t.weight = 0.5; }, 0},
        {"it is slow",
         [](TargetView& t) {
             t.pace = {3, 1};
         },
         0},
        {"it was slow, long ago",
         [](TargetView& t) {
             t.pace = {3, 0.001};
             t.prefix_tokens = 64;
         },
         1},
        {"somebody else keeps it busy",
         [&](TargetView& t) {
             fresh(t);
             t.engine.running = 8;
         },
         0},
        {"the engine runs what we sent there",
         [&](TargetView& t) {
             fresh(t);
             t.engine.running = 8;
             t.engine.outstanding = 8;
             t.prefix_tokens = 64;
         },
         1},
        {"requests wait in the engine",
         [&](TargetView& t) {
             fresh(t);
             t.engine.waiting = 3;
             t.engine.outstanding = 3;
         },
         0},
        {"its KV cache is nearly full",
         [&](TargetView& t) {
             fresh(t);
             t.engine.kv_usage = 0.98;
         },
         0},
        {"its KV cache has room",
         [&](TargetView& t) {
             fresh(t);
             t.engine.kv_usage = 0.7;
             t.prefix_tokens = 64;
         },
         1},
        {"it has the adapter in use",
         [&](TargetView& t) {
             fresh(t);
             t.adapter = AdapterHeat::Active;
             t.prefix_tokens = 64;
         },
         1},
        {"the adapter must be brought in",
         [&](TargetView& t) {
             fresh(t);
             t.adapter = AdapterHeat::Cold;
             t.prefix_tokens = 256;
         },
         0},
        {"others' adapters take all places, which costs more than the prefix saves",
         [&](TargetView& t) {
             fresh(t);
             t.adapter = AdapterHeat::NoRoom;
             t.prefix_tokens = 1000;
         },
         0},
        {"all that was long ago",
         [&](TargetView& t) {
             fresh(t);
             t.fresh = 0;
             t.engine.waiting = 30;
             t.engine.kv_usage = 1;
             t.prefix_tokens = 64;
         },
         1},
    };
    const auto score = policy(BalanceKind::Score);
    PickFacts facts;
    facts.prompt_tokens = 1000;
    facts.output_tokens = 200;
    facts.usual_prompt_tokens = 1000;
    for (const auto& c : cases) {
        auto targets = idle(2);
        targets[0].pace = {0, 1};
        targets[1].pace = {0, 1};
        c.change(targets[1]);
        for (std::uint64_t turn = 0; turn < 2; ++turn) {
            facts.turn = turn;
            EXPECT_EQ(pick(*score, targets, facts), c.picked) << c.name;
        }
    }
}

TEST(Score, SaysWhenAPrefixWasGivenUp) {
    const auto score = policy(BalanceKind::Score);
    PickFacts facts;
    facts.prompt_tokens = 1000;
    auto targets = idle(2);
    targets[1].prefix_tokens = 900;
    EXPECT_EQ(score->pick(targets, facts)->reason, PickReason::Score);
    targets[1].prompt_work = 5000;
    EXPECT_EQ(score->pick(targets, facts)->reason, PickReason::ScoreSpill);
}

TEST(EngineLoads, CountLessWithAgeAndThenNothing) {
    EngineLoad load;
    EXPECT_EQ(freshness(load, SteadyTime{1h}, 4s), 0);
    load.at = SteadyTime{1h};
    EXPECT_EQ(freshness(load, SteadyTime{1h + 2s}, 4s), 1);
    EXPECT_DOUBLE_EQ(freshness(load, SteadyTime{1h + 3s}, 4s), 0.5);
    EXPECT_EQ(freshness(load, SteadyTime{1h + 4s}, 4s), 0);
    EXPECT_EQ(freshness(load, SteadyTime{2h}, 4s), 0);
    load.running = 3;
    load.waiting = 2;
    load.outstanding = 4;
    EXPECT_EQ(foreign_requests(load), 1);
    load.outstanding = 9;
    EXPECT_EQ(foreign_requests(load), 0);
}

}  // namespace
}  // namespace stoker::gateway
