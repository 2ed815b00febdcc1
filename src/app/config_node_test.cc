#include <gtest/gtest.h>

#include "app/config.h"
#include "app/config_convert.h"

namespace stoker::app {
namespace {

using namespace std::chrono_literals;

LoadedConfig read(std::string_view yaml) {
    const auto none = [](const std::string&) -> std::optional<std::string> { return std::nullopt; };
    return read_config(yaml, "c.yaml", none);
}

std::string problems(std::string_view yaml) {
    std::string all;
    for (const auto& problem : read(yaml).problems) all += problem.text() + "\n";
    return all;
}

TEST(NodeConfig, ItsOwnIntervalOrThatOfScrapes) {
    const auto usual = read("collect: {scrape_interval: 7s}");
    ASSERT_TRUE(usual.ok());
    EXPECT_EQ(host_schedule(usual.config), (collect::SourceSchedule{.interval = 7s, .deadline = 7s}));
    const auto own = read("collect: {scrape_interval: 7s, node: {interval: 1s, procfs: /host/proc, exclude: [arp]}}");
    ASSERT_TRUE(own.ok());
    EXPECT_EQ(host_schedule(own.config), (collect::SourceSchedule{.interval = 1s, .deadline = 5s}));
    EXPECT_EQ(host_options(own.config).procfs, "/host/proc");
    EXPECT_EQ(host_options(own.config).sysfs, "/sys");
    EXPECT_EQ(host_options(own.config).exclude, std::vector<std::string>{"arp"});
}

TEST(NodeConfig, IsChecked) {
    EXPECT_EQ(problems("collect: {node: {procfs: proc}}"),
              "c.yaml:1:26: collect.node.procfs: must be a path from the root: it begins with '/'\n");
    EXPECT_EQ(problems("collect: {node: {exclude_disks: '('}}"),
              "c.yaml:1:33: collect.node.exclude_disks: is no RE2 pattern: missing ): (\n");
    const std::string unknown = problems("collect: {node: {include: [cpu, gpu]}}");
    EXPECT_TRUE(unknown.starts_with(
        "c.yaml:1:33: collect.node.include[1]: is no collector; there are arp, conntrack, containers, "))
        << unknown;
}

}  // namespace
}  // namespace stoker::app
