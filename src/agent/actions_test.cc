#include "agent/actions.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "agent/testing.h"
#include "base/file.h"

namespace stoker::agent {
namespace {

Action shell(const std::string& script, Duration timeout = Duration{10'000}) {
    Action action;
    action.rule = "r";
    action.run = {"/bin/sh", "-c", script};
    action.timeout = timeout;
    action.facts = {{"STOKER_RULE", "gpu hot"}, {"STOKER_VALUE", "91.5"}};
    return action;
}

TEST(AgentActions, AProgramGetsTheFacts) {
    const testing::TemporaryFolder folder;
    const std::string file = folder.path() + "/out";
    const auto done = run_program(shell("echo \"$STOKER_RULE $STOKER_VALUE\" > " + file));
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(read_file(file).value_or(""), "gpu hot 91.5\n");
}

TEST(AgentActions, WhatGoesWrongIsSaid) {
    EXPECT_NE(run_program(shell("exit 3")).error().message.find("ended with 3"), std::string::npos);
    Action none = shell("");
    none.run = {"/nowhere/at-all"};
    EXPECT_FALSE(run_program(none));
    const auto late = run_program(shell("sleep 60 & sleep 60", Duration{100}));
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, Errc::DeadlineExceeded);
    Action hook;
    hook.webhook = "http://127.0.0.1:1/";
    EXPECT_FALSE(post_webhook(hook));
}

TEST(AgentActions, TheQueueIsBounded) {
    metrics::Registry registry;
    Actions actions(registry);
    for (std::size_t i = 0; i < 3 * Actions::kMostWaiting; ++i) actions.submit(shell("sleep 0.2"));
    actions.stop();
    EXPECT_GE(testing::metric(registry, "stoker_agent_actions_total", "skipped"),
              static_cast<double>(2 * Actions::kMostWaiting - 1));
    EXPECT_LE(testing::metric(registry, "stoker_agent_actions_total", "done"), 2);
}

}  // namespace
}  // namespace stoker::agent
