// From a source's labels to a target: defaults, relabelling, URL.
#include "collect/discovery/target_labels.h"

#include <gmock/gmock.h>

#include "collect/discovery/target_list.h"

namespace stoker::collect {
namespace {

ScrapeConfig job(const std::string& name = "j") {
    ScrapeConfig config;
    config.job_name = name;
    EXPECT_TRUE(complete(config, {Duration{15'000}, Duration{10'000}, "/etc"}));
    return config;
}

std::string text(const LabelMap& labels) {
    std::string out;
    for (const auto& [name, value] : labels) out += (out.empty() ? "" : " ") + name + "=" + value;
    return out;
}

// "URL labels", "(dropped)" or the error.
std::string made(const ScrapeConfig& config, const LabelMap& labels) {
    auto maker = TargetMaker::create(config);
    if (!maker) return maker.error().message;
    auto target = maker->make(labels);
    if (!target) return "error: " + target.error().message;
    if (!*target) return "(dropped)";
    return (*target)->shown + " " + text((*target)->labels);
}

RelabelConfig set(const std::string& target, const std::string& value) {
    RelabelConfig rule;
    rule.target_label = target;
    rule.replacement = value;
    return rule;
}

TEST(TargetLabels, DefaultsAreThere) {
    const auto maker = TargetMaker::create(job());
    ASSERT_TRUE(maker);
    EXPECT_EQ(text(maker->discovered({{"__address__", "h:1"}, {"x", ""}, {"job", "own"}})),
              "__address__=h:1 __metrics_path__=/metrics __scheme__=http __scrape_interval__=15s "
              "__scrape_timeout__=10s job=own");
}

TEST(TargetLabels, MetaLabelsGoAndInstanceIsTheAddress) {
    EXPECT_EQ(made(job(), {{"__address__", "h:1"}, {"__meta_x", "1"}, {"__y", "2"}, {"zone", "a"}}),
              "http://h:1/metrics instance=h:1 job=j zone=a");
    EXPECT_EQ(made(job(), {{"__address__", "h:1"}, {"instance", "web"}}), "http://h:1/metrics instance=web job=j");
    EXPECT_EQ(made(job(), {{"__address__", "[::1]:9"}}), "http://[::1]:9/metrics instance=[::1]:9 job=j");
}

TEST(TargetLabels, RelabellingChangesWhereAndHow) {
    ScrapeConfig config = job();
    config.params = {{"module", {"http 2xx", "b"}}, {"target", {"x"}}};
    config.relabel_configs = {set("__scheme__", "https"), set("__metrics_path__", "/probe"),
                              set("__param_target", "a&b"), set("__address__", "exporter:9115"),
                              set("__scrape_interval__", "1m")};
    EXPECT_EQ(made(config, {{"__address__", "h:1"}}),
              "https://exporter:9115/probe?module=http+2xx&module=b&target=a%26b instance=exporter:9115 job=j");
}

TEST(TargetLabels, WhatCantBeScrapedIsSaid) {
    EXPECT_THAT(made(job(), {{"a", "b"}}), testing::HasSubstr("__address__"));
    EXPECT_THAT(made(job(), {{"__address__", "h:1/x"}}), testing::HasSubstr("without a '/'"));
    EXPECT_THAT(made(job(), {{"__address__", "h:1"}, {"__scrape_interval__", "x"}}),
                testing::HasSubstr("__scrape_interval__"));
    EXPECT_THAT(made(job(), {{"__address__", "h:1"}, {"__scrape_timeout__", "1h"}}), testing::HasSubstr("longer"));
    EXPECT_THAT(made(job(), {{"__address__", "h:1"}, {"a", "\xff"}}), testing::HasSubstr("UTF-8"));
    EXPECT_THAT(made(job(), {{"__address__", "h:1"}, {"__scheme__", "ftp"}}), testing::HasSubstr("http"));
}

TEST(TargetLabels, DroppedByRelabelling) {
    ScrapeConfig config = job();
    RelabelConfig drop;
    drop.source_labels = {"__address__"};
    drop.regex = "h:.*";
    drop.action = "drop";
    config.relabel_configs = {drop};
    EXPECT_EQ(made(config, {{"__address__", "h:1"}}), "(dropped)");
}

std::string shown(const Result<std::vector<TargetGroup>>& groups) {
    if (!groups) return groups.error().message;
    std::string out;
    for (const TargetGroup& group : *groups) {
        out += group.source + "{" + text(group.labels) + "}";
        for (const LabelMap& target : group.targets) out += " " + text(target);
        out += "; ";
    }
    return out;
}

TEST(TargetList, ReadsJsonAndYaml) {
    const std::string expected = "f:0{a=b} __address__=x:1 __address__=y:2; f:1{} __address__=z:3; ";
    EXPECT_EQ(shown(parse_target_list_json(
                  R"([{"targets": ["x:1", "y:2"], "labels": {"a": "b"}}, {"targets": ["z:3"]}])", "f")),
              expected);
    EXPECT_EQ(shown(parse_target_list_yaml("- targets: [x:1, 'y:2']\n  labels: {a: b}\n- targets:\n  - z:3\n", "f")),
              expected);
    EXPECT_EQ(shown(parse_target_list_json("[]", "f")), "");
    EXPECT_EQ(shown(parse_target_list_yaml("", "f")), "");
}

TEST(TargetList, SaysWhatIsWrongAndWhere) {
    EXPECT_EQ(shown(parse_target_list_json("{", "f")), "f: is not JSON");
    EXPECT_THAT(shown(parse_target_list_json("{}", "f")), testing::HasSubstr("expected a list"));
    EXPECT_EQ(shown(parse_target_list_json(R"([{"targets": [1]}])", "f")), "f[0]: 'targets' must be texts");
    EXPECT_EQ(shown(parse_target_list_json(R"([{"labels": {"a": 1}}])", "f")), "f[0]: the label 'a' must be a text");
    EXPECT_THAT(shown(parse_target_list_json(R"([{"target": []}])", "f")), testing::HasSubstr("unknown key 'target'"));
    EXPECT_EQ(shown(parse_target_list_yaml("- targets: [x:1]\n- targets: {}\n", "f")), "f:2:3: must be a list");
    EXPECT_THAT(shown(parse_target_list_yaml("- targets: [", "f")), testing::StartsWith("f:1:"));
    EXPECT_THAT(shown(parse_target_list_yaml("a: b", "f")), testing::HasSubstr("expected a list"));
}

TEST(ScrapeConfig, SizesAreInPrometheusUnits) {
    const std::vector<std::pair<std::string, std::int64_t>> cases = {
        {"0", 0}, {"512", 512}, {"1B", 1},  {"10KB", 10240}, {"10KiB", 10240},     {"2MB", 2 << 20},
        {"", -1}, {"1x", -1},   {"MB", -1}, {"-1", -1},      {"99999999999GB", -1}};
    for (const auto& [size, expected] : cases) {
        const auto parsed = parse_prometheus_bytes(size);
        EXPECT_EQ(parsed ? static_cast<std::int64_t>(*parsed) : -1, expected) << size;
    }
}

TEST(ScrapeConfig, IsCompletedFromItsSurroundings) {
    ScrapeConfig config;
    config.scrape_interval = Duration{5'000};
    config.file_sd_configs = {{{"t/*.json", "/abs.yml"}, Duration{1'000}}};
    ASSERT_TRUE(complete(config, {Duration{15'000}, Duration{10'000}, "/etc/p"}));
    EXPECT_EQ(config.scrape_timeout, Duration{5'000});
    EXPECT_THAT(config.file_sd_configs[0].files, testing::ElementsAre("/etc/p/t/*.json", "/abs.yml"));
    config.scrape_timeout = Duration{6'000};
    EXPECT_FALSE(complete(config, {}));
}

}  // namespace
}  // namespace stoker::collect
