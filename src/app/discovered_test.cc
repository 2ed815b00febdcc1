#include "app/discovered.h"

#include <gtest/gtest.h>

namespace stoker::app {
namespace {

collect::TargetStatus found(const std::string& url, std::vector<std::string> models) {
    collect::TargetStatus status;
    status.url = url;
    status.models = std::move(models);
    return status;
}

TEST(DiscoveredPools, APoolForEachModel) {
    DiscoveredPools discovered;
    EXPECT_FALSE(discovered.update({}));
    EXPECT_TRUE(discovered.update({found("http://127.0.0.1:8000", {"a", "b"}), found("http://127.0.0.1:8080", {"a"})}));
    auto pools = discovered.pools();
    ASSERT_EQ(pools.size(), 2u);
    EXPECT_EQ(pools[0].name, "a");
    ASSERT_EQ(pools[0].replicas.size(), 2u);
    EXPECT_EQ(pools[0].replicas[1].url, "http://127.0.0.1:8080");
    EXPECT_EQ(pools[1].models, std::vector<std::string>{"b"});
}

TEST(DiscoveredPools, KeepsWhatIsGone) {
    DiscoveredPools discovered;
    EXPECT_TRUE(discovered.update({found("http://127.0.0.1:8000", {"a"})}));
    EXPECT_FALSE(discovered.update({}));
    EXPECT_FALSE(discovered.update({found("http://127.0.0.1:8000", {"a"})}));
    EXPECT_EQ(discovered.pools().size(), 1u);
}

TEST(TargetSpecs, EveryReplicaOnce) {
    Config config;
    PoolConfig& one = config.pools.emplace_back();
    one.name = "one";
    one.replicas.emplace_back().url = "http://127.0.0.1:8000";
    PoolConfig& two = config.pools.emplace_back();
    two.name = "two";
    two.replicas.emplace_back().url = "http://127.0.0.1:8000";
    config.collect.targets.emplace_back().url = "http://127.0.0.1:9100";
    auto specs = target_specs(config);
    ASSERT_EQ(specs.size(), 2u);
    EXPECT_EQ(specs[0].replica, "one/127.0.0.1:8000");
    EXPECT_EQ(specs[1].url, "http://127.0.0.1:9100");
    EXPECT_EQ(specs[1].replica, "");
}

}  // namespace
}  // namespace stoker::app
