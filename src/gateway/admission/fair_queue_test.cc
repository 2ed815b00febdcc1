#include "gateway/admission/fair_queue.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>

namespace stoker::gateway {
namespace {

using enum Priority;

// Requests with names, so that a test reads as who comes out.
class Line {
public:
    void push(std::string name, std::string_view tenant, Priority priority = Normal, double cost = 10) {
        names_[queue.push(priority, tenant, cost)] = std::move(name);
    }
    std::string pop() { return name(queue.pop()); }
    std::string shed_for(Priority priority, std::string_view tenant = "new") {
        return name(queue.shed_for(priority, tenant));
    }
    std::string all() {
        std::string order;
        while (const auto ticket = queue.pop()) order += (order.empty() ? "" : " ") + names_[*ticket];
        return order;
    }

    FairQueue queue;

private:
    std::string name(std::optional<FairQueue::Ticket> ticket) { return ticket ? names_[*ticket] : "-"; }
    std::map<FairQueue::Ticket, std::string> names_;
};

TEST(FairQueue, OneTenantIsServedInOrder) {
    Line line;
    for (const char* name : {"a", "b", "c"}) line.push(name, "t");
    EXPECT_EQ(line.all(), "a b c");
    EXPECT_EQ(line.queue.size(), 0U);
}

TEST(FairQueue, HigherClassesGoFirst) {
    Line line;
    line.push("low", "t", Low);
    line.push("normal", "t");
    line.push("high", "t", High);
    line.push("high2", "u", High);
    EXPECT_EQ(line.all(), "high high2 normal low");
}

TEST(FairQueue, TenantsTakeTurnsByWhatTheyCost) {
    Line line;
    for (const char* name : {"a1", "a2", "a3"}) line.push(name, "a", Normal, 30);
    for (const char* name : {"b1", "b2", "b3", "b4", "b5", "b6"}) line.push(name, "b", Normal, 10);
    // After a1 (30) b has three for the same, and so on.
    EXPECT_EQ(line.all(), "a1 b1 b2 b3 a2 b4 b5 b6 a3");
}

TEST(FairQueue, WhoComesBackIsLiftedAndCanNotSaveUp) {
    Line line;
    for (int i = 0; i < 10; ++i) line.push("busy", "busy");
    for (int i = 0; i < 5; ++i) (void)line.pop();
    EXPECT_EQ(line.queue.counter(Normal, "busy"), 50);
    line.push("i1", "idle");
    line.push("i2", "idle");
    EXPECT_EQ(line.queue.counter(Normal, "idle"), 50);
    EXPECT_EQ(line.all(), "i1 busy i2 busy busy busy busy");
}

TEST(FairQueue, TheLiftIsToTheLastServedWhereNobodyWaits) {
    Line line;
    for (int i = 0; i < 3; ++i) line.push("x", "x");
    (void)line.all();
    line.push("y", "y");
    EXPECT_EQ(line.queue.counter(Normal, "y"), 30);
    // Nobody's counter is ever lowered.
    line.push("y", "y");
    (void)line.all();
    line.push("x", "x");
    line.push("y", "y");
    EXPECT_EQ(line.pop(), "x");
}

TEST(FairQueue, ACorrectionCounts) {
    Line line;
    line.push("a1", "a", Normal, 1000);
    line.push("b1", "b", Normal, 100);
    line.push("a2", "a", Normal, 1000);
    line.push("b2", "b", Normal, 100);
    EXPECT_EQ(line.pop(), "a1");
    line.queue.finish(Normal, "a", -950);  // It was short.
    EXPECT_EQ(line.pop(), "b1");
    EXPECT_EQ(line.pop(), "a2");
    line.queue.finish(Normal, "nobody", 5);
}

TEST(FairQueue, LeavingIsPossibleFromEverywhere) {
    FairQueue queue;
    const auto a = queue.push(Normal, "t", 1);
    const auto b = queue.push(Normal, "t", 1);
    const auto c = queue.push(Normal, "t", 1);
    EXPECT_TRUE(queue.remove(b));
    EXPECT_FALSE(queue.remove(b));
    EXPECT_TRUE(queue.remove(a));
    EXPECT_EQ(queue.pop(), c);
    EXPECT_FALSE(queue.remove(c));
    EXPECT_EQ(queue.counter(Normal, "t"), 1);  // Only who was served paid.
}

TEST(FairQueue, TheLowestClassGoesFirstAndItsNewest) {
    Line line;
    line.push("l1", "t", Low);
    line.push("n1", "t");
    line.push("l2", "t", Low);
    line.push("n2", "t");
    EXPECT_EQ(line.shed_for(High), "l2");
    EXPECT_EQ(line.shed_for(Normal), "l1");
    EXPECT_EQ(line.shed_for(High), "n2");
    EXPECT_EQ(line.shed_for(Low), "-");
}

TEST(FairQueue, InOneClassTheLongestLineMakesRoom) {
    Line line;
    for (const char* name : {"n1", "n2", "n3"}) line.push(name, "noisy");
    line.push("q1", "quiet");
    EXPECT_EQ(line.shed_for(Normal, "noisy"), "-");
    EXPECT_EQ(line.shed_for(Normal, "quiet"), "n3");
    EXPECT_EQ(line.shed_for(Normal, "quiet"), "-");  // 2 and 1: to swap would be no fairer.
    EXPECT_EQ(line.shed_for(Normal, "new"), "n2");
}

// Whatever comes and goes: both are served all the time, so each gets half of the tokens.
TEST(FairQueue, BackloggedTenantsGetEqualTokens) {
    FairQueue queue;
    std::minstd_rand random(7);
    std::map<FairQueue::Ticket, std::pair<std::string, double>> waiting;
    std::map<std::string, double> served;
    const auto add = [&](const std::string& tenant) {
        const double cost = tenant == "noisy" ? 500 + static_cast<double>(random() % 1000) : 100;
        waiting[queue.push(Normal, tenant, 300)] = {tenant, cost};  // The estimate is wrong for both.
    };
    for (int i = 0; i < 50; ++i) add("noisy");
    for (int i = 0; i < 2; ++i) add("quiet");
    for (int i = 0; i < 20'000; ++i) {
        const auto ticket = queue.pop();
        ASSERT_TRUE(ticket);
        const auto [tenant, cost] = waiting[*ticket];
        waiting.erase(*ticket);
        add(tenant);
        queue.finish(Normal, tenant, cost - 300);
        served[tenant] += cost;
    }
    EXPECT_NEAR(served["noisy"] / served["quiet"], 1, 0.01);
}

// What of 10,000 turns each class gets, of requests that cost the same unless said otherwise, while all always wait.
std::array<int, kPriorityClasses> turns(double lower_share, std::vector<Priority> classes, double low_cost = 10) {
    FairQueue queue;
    queue.set_lower_share(lower_share);
    std::map<FairQueue::Ticket, Priority> waiting;
    const auto add = [&](Priority priority) {
        waiting[queue.push(priority, "t", priority == Low ? low_cost : 10)] = priority;
    };
    for (const Priority priority : classes) {
        for (int i = 0; i < 3; ++i) add(priority);
    }
    std::array<int, kPriorityClasses> got{};
    for (int i = 0; i < 10'000; ++i) {
        const Priority priority = waiting.at(*queue.pop());
        ++got[static_cast<std::size_t>(priority)];
        add(priority);
    }
    return got;
}

TEST(FairQueue, LowerClassesGetTheirShareAndNoMore) {
    EXPECT_EQ(turns(0, {Low, High}), (std::array{0, 0, 10'000}));
    // Each token of a higher class earns a lower one 0.05: one turn after twenty.
    const auto two = turns(0.05, {Low, High});
    EXPECT_NEAR(two[0], 10'000 / 21, 1);
    const auto three = turns(0.05, {Low, Normal, High});
    EXPECT_NEAR(three[2], 10'000 / 1.1025, 10);
    EXPECT_NEAR(three[1], 0.05 * three[2], 10);
    EXPECT_NEAR(three[0], 0.05 * (three[1] + three[2]), 10);
    // The share is of tokens: requests of ten times the cost go a tenth as often.
    EXPECT_NEAR(turns(0.05, {Low, High}, 100)[0], 10'000 / 201, 1);
}

TEST(FairQueue, ALowRequestWaitsForABoundedNumberOfHigherOnes) {
    Line line;
    line.queue.set_lower_share(0.1);
    line.push("low", "t", Low);
    int before = 0;
    for (;; ++before) {
        line.push("high", "t", High);
        if (line.pop() == "low") break;
        ASSERT_LT(before, 100);
    }
    EXPECT_EQ(before, 10);
    // Nobody of its class waited since: nothing was saved up.
    for (int i = 0; i < 50; ++i) {
        line.push("high", "t", High);
        if (i == 40) line.push("low", "t", Low);
        if (i < 49) {
            EXPECT_EQ(line.pop(), "high") << i;
        }
    }
}

TEST(FairQueue, KnowsWhoGoesBefore) {
    Line line;
    for (int i = 0; i < 20; ++i) line.push("n", "noisy", Normal, 100);
    for (int i = 0; i < 4; ++i) line.push("h", "vip", High, 100);
    EXPECT_EQ(line.queue.ahead(Normal, "noisy"), 24);
    EXPECT_EQ(line.queue.ahead(Normal, "quiet"), 5);  // One of the noisy one's, which came before.
    EXPECT_EQ(line.queue.ahead(High, "new"), 1);
    EXPECT_EQ(line.queue.ahead(Low, "batch"), 24);
    line.push("q", "quiet", Normal, 300);
    EXPECT_EQ(line.queue.ahead(Normal, "quiet"), 1 + 4 + 4);  // Its own, four of the other's, four above.
    // With a share of its own the first of a low class waits for no more than that share says.
    line.queue.set_lower_share(0.5);
    EXPECT_EQ(line.queue.ahead(Low, "batch"), 2);
}

// The prediction against what happens: a newcomer among random lines.
TEST(FairQueue, ThePredictionComesTrue) {
    std::minstd_rand random(11);
    for (int round = 0; round < 200; ++round) {
        FairQueue queue;
        const auto tenant = [&] { return "t" + std::to_string(random() % 5); };
        for (int i = 0; i < 60; ++i) {
            (void)queue.push(static_cast<Priority>(random() % 3), tenant(), 50);
            if (random() % 3 == 0) (void)queue.pop();
        }
        const auto priority = static_cast<Priority>(random() % 3);
        const std::string who = tenant();
        const double told = queue.ahead(priority, who);
        const auto mine = queue.push(priority, who, 50);
        int really = 0;
        while (*queue.pop() != mine) ++really;
        EXPECT_NEAR(told, really, 4) << round;  // Of equal counters the one goes first that was served longer ago.
    }
}

TEST(FairQueue, KnowsWhoHasMoreThanItsShare) {
    Line line;
    for (int i = 0; i < 10; ++i) line.push("n", "noisy");
    EXPECT_FALSE(line.queue.over_share(Normal, "noisy"));  // Alone: there is nobody to take from.
    EXPECT_FALSE(line.queue.over_share(Normal, "quiet"));
    line.push("q", "quiet", High);
    for (int i = 0; i < 5; ++i) (void)line.pop();  // Those that run count too.
    EXPECT_TRUE(line.queue.over_share(Normal, "noisy"));
    EXPECT_FALSE(line.queue.over_share(High, "quiet"));
    EXPECT_FALSE(line.queue.over_share(Normal, "new"));
    line.queue.finish(High, "quiet", 0);
    EXPECT_FALSE(line.queue.over_share(Normal, "noisy"));
}

TEST(FairQueue, ForgetsTenantsThatWaitForNothing) {
    FairQueue queue;
    for (int i = 0; i < 25'000; ++i) {
        (void)queue.push(Normal, "tenant-" + std::to_string(i), 1);
        (void)queue.pop();
        queue.finish(Normal, "tenant-" + std::to_string(i), 0);
    }
    EXPECT_EQ(queue.counter(Normal, "tenant-0"), 0);
    EXPECT_GT(queue.counter(Normal, "tenant-24999"), 0);
}

TEST(FairQueue, ShowsWhoWaits) {
    Line line;
    line.push("a", "a");
    line.push("a", "a");
    line.push("b", "b", High);
    const auto lines = line.queue.lines(10);
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0].tenant, "b");
    EXPECT_EQ(lines[1].waiting, 2U);
    EXPECT_EQ(line.queue.lines(1).size(), 1U);
}

}  // namespace
}  // namespace stoker::gateway
