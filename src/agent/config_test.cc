#include "agent/config.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "agent/clock_watch.h"
#include "agent/families.h"
#include "agent/own_use.h"
#include "agent/status.h"
#include "agent/testing.h"
#include "base/file.h"

namespace stoker::agent {
namespace {

const std::filesystem::path kRoot = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();

Loaded load(const std::string& text) {
    const testing::TemporaryFolder folder;
    const std::string file = folder.path() + "/agent.yaml";
    EXPECT_TRUE(write_file_atomic(file, text));
    Loaded loaded = load_config(file, [](const std::string&) { return std::optional<std::string>(); });
    for (std::string& problem : loaded.problems) problem = problem.substr(problem.find("agent.yaml"));
    for (DestinationConfig& one : loaded.config.destinations) {
        if (one.token_file.starts_with(folder.path())) one.token_file = one.token_file.substr(folder.path().size());
    }
    return loaded;
}

// STOKER_UPDATE=1 rewrites the file instead.
TEST(AgentConfig, DocsAreUpToDate) {
    const auto file = kRoot / "docs" / "agent-configuration.md";
    const std::string generated = configuration_markdown();
    if (std::getenv("STOKER_UPDATE") != nullptr) {
        ASSERT_TRUE(write_file_atomic(file, generated));
    }
    const auto checked_in = read_file(file);
    ASSERT_TRUE(checked_in) << checked_in.error().message;
    EXPECT_EQ(*checked_in, generated) << "run again with STOKER_UPDATE=1";
}

TEST(AgentConfig, ExampleLoads) {
    const auto loaded =
        load_config(kRoot / "examples" / "agent" / "agent.yaml", [](const std::string&) { return std::nullopt; });
    for (const auto& problem : loaded.problems) ADD_FAILURE() << problem;
}

TEST(AgentConfig, ModesBecomeReaders) {
    const std::string two =
        "destinations:\n- {name: a, url: http://a, token_file: token}\n- {name: b, url: https://b/api/v1/write}\n";
    const auto both = load(two);
    ASSERT_TRUE(both.problems.empty()) << both.problems[0];
    EXPECT_EQ(both.config.destinations[0].token_file, "/token");
    const auto apart = sender_options(both.config);
    ASSERT_EQ(apart.size(), 2u);
    EXPECT_EQ(apart[0].reader, "a");
    EXPECT_EQ(apart[1].destinations.size(), 1u);
    const auto one = sender_options(load(two + "mode: failover\n").config);
    ASSERT_EQ(one.size(), 1u);
    EXPECT_EQ(one[0].reader, "failover");
    EXPECT_EQ(one[0].destinations.size(), 2u);
}

TEST(AgentConfig, SaysWhatIsWrongAndWhere) {
    const auto first = [](const std::string& text) {
        const auto loaded = load(text);
        return loaded.problems.empty() ? "" : loaded.problems[0];
    };
    EXPECT_NE(first("").find("destinations"), std::string::npos);
    EXPECT_NE(first("destinations: []\n").find("at least one"), std::string::npos);
    EXPECT_NE(first("destinations:\n- {name: a, url: ftp://x}\n").find("agent.yaml:2"), std::string::npos);
    EXPECT_NE(first("destinations:\n- {name: a, url: http://x}\n- {name: a, url: http://y}\n").find("another"),
              std::string::npos);
    EXPECT_NE(first("destinations:\n- {name: a, url: http://x, tls: {key: k}}\n").find("go together"),
              std::string::npos);
    EXPECT_NE(first("intervall: 1s\ndestinations:\n- {name: a, url: http://x}\n").find("interval"), std::string::npos);
    EXPECT_NE(first("destinations:\n- {name: a, url: http://x}\nlimits: {nice: 20}\n").find("0 to 19"),
              std::string::npos);
}

TEST(AgentClockWatch, SeesStepsOnly) {
    ClockWatch watch;
    testing::Clocks clocks;
    EXPECT_EQ(watch.look(clocks.now()), Duration{0});
    clocks.pass(std::chrono::hours(5));
    EXPECT_EQ(watch.look(clocks.now()), Duration{0});
    clocks.set_wall(std::chrono::milliseconds(900));
    EXPECT_EQ(watch.look(clocks.now()), Duration{0});
    clocks.set_wall(std::chrono::seconds(-30));
    EXPECT_EQ(watch.look(clocks.now()), Duration{-30'000});
    EXPECT_EQ(watch.look(clocks.now()), Duration{0});
}

TEST(AgentFamilies, KeepsWhatIsNew) {
    Families families;
    families.add({{"a", {"gauge", "A.", ""}}});
    const auto before = families.book();
    families.add({{"a", {"gauge", "A.", ""}}});
    EXPECT_EQ(families.book(), before);
    families.add({{"a", {"counter", "A.", ""}}, {"b", {"gauge", "", ""}}});
    EXPECT_EQ(families.book()->size(), 2u);
    EXPECT_EQ(families.book()->at("a").type, "counter");
    EXPECT_EQ(before->size(), 1u);
}

TEST(AgentOwnUse, ReadsItself) {
    EXPECT_EQ(parse_resident_pages("1000 250 80 1 0 300 0\n").value_or(0), 250u);
    EXPECT_FALSE(parse_resident_pages("1000"));
    EXPECT_FALSE(parse_resident_pages("1000 x 1"));
    const auto use = read_own_use();
    ASSERT_TRUE(use);
    EXPECT_GT(use->resident_bytes, 1u << 20);
}

TEST(AgentStatus, IsReadBack) {
    AgentStatus status;
    status.instance = "n1";
    status.at = from_millis(100'000);
    status.senders.push_back({.reader = "a", .destination = "a", .waiting_records = 7, .last_error = "no route"});
    const auto text = status_text(to_json(status), from_millis(102'000));
    ASSERT_TRUE(text);
    EXPECT_NE(text->find("written 2s ago"), std::string::npos) << *text;
    EXPECT_NE(text->find("7 batches wait"), std::string::npos) << *text;
    EXPECT_NE(text->find("no route"), std::string::npos);
    EXPECT_NE(status_text(to_json(status), from_millis(200'000))->find("NOT RUNNING"), std::string::npos);
    EXPECT_FALSE(status_text("{}", now()));
    EXPECT_FALSE(status_text("", now()));
}

}  // namespace
}  // namespace stoker::agent
