// What the API tells beside samples: metadata, exemplars, targets, rules, status, and the admin endpoints.
#include <nlohmann/json.hpp>

#include "api/prometheus_fixture.h"

namespace stoker::api {
namespace {

using PrometheusInfo = PrometheusFixture;

TEST_F(PrometheusInfo, Metadata) {
    store.families = {{"a_total", {"counter", "All \"a\".", ""}}, {"b", {"gauge", "", "bytes"}}};
    EXPECT_EQ(data("/api/v1/metadata"), R"({"a_total":[{"type":"counter","help":"All \"a\".","unit":""}],)"
                                        R"("b":[{"type":"gauge","help":"","unit":"bytes"}]})");
    EXPECT_EQ(data("/api/v1/metadata?metric=b&limit_per_metric=1"),
              R"({"b":[{"type":"gauge","help":"","unit":"bytes"}]})");
    EXPECT_EQ(data("/api/v1/metadata?limit=0"), "{}");
    EXPECT_EQ(data("/api/v1/metadata?limit=1"), R"({"a_total":[{"type":"counter","help":"All \"a\".","unit":""}]})");
    EXPECT_EQ(error("/api/v1/metadata?limit=x"), "400 bad_data: limit must be a number");
    EXPECT_EQ(error("/api/v1/metadata?limit_per_metric=x"), "400 bad_data: limit_per_metric must be a number");
}

TEST_F(PrometheusInfo, MetadataByTarget) {
    store.families = {{"latency", {"histogram", "How long.", "s"}}, {"other", {"gauge", "", ""}}};
    const tsdb::Labels one{{"instance", "h:1"}, {"job", "engine"}};
    targets.push_back({.pool = "engine", .url = "http://h:1/metrics", .labels = one});
    store.data.add(one.with("__name__", "latency_bucket").with("le", "1"), {590'000, 1});
    store.data.add(one.with("__name__", "latency_sum"), {590'000, 1});
    store.data.add({{"__name__", "other"}, {"job", "elsewhere"}}, {590'000, 1});
    const std::string shown = R"("type":"histogram","help":"How long.","unit":"s"}])";
    const std::string target = R"([{"target":{"instance":"h:1","job":"engine"},)";
    EXPECT_EQ(data("/api/v1/targets/metadata"), target + R"("metric":"latency",)" + shown);
    EXPECT_EQ(data("/api/v1/targets/metadata?metric=latency&match_target={job='engine'}"), target + shown);
    EXPECT_EQ(data("/api/v1/targets/metadata?match_target={job='x'}"), "[]");
    EXPECT_EQ(data("/api/v1/targets/metadata?limit=0"), "[]");
    EXPECT_EQ(error("/api/v1/targets/metadata?match_target=x(").substr(0, 52),
              R"(400 bad_data: invalid parameter \"match_target\": 1:)");
}

TEST_F(PrometheusInfo, Exemplars) {
    EXPECT_EQ(data("/api/v1/query_exemplars?query=rate(a_total[5m])"), "[]");
    store.stored_exemplars = {{{{"__name__", "a_total"}}, {{{{"trace_id", "t1"}}, 0.5, 1'600'000'000'123}}}};
    EXPECT_EQ(data("/api/v1/query_exemplars?query=rate(a_total[5m])/2"),
              R"([{"seriesLabels":{"__name__":"a_total"},"exemplars":)"
              R"([{"labels":{"trace_id":"t1"},"value":"0.5","timestamp":1600000000.123}]}])");
    EXPECT_EQ(call("/api/v1/query_exemplars?query=1").status, 204);
    EXPECT_EQ(error("/api/v1/query_exemplars?query=a%2B"), "400 bad_data: 1:3: parse error: unexpected end of input");
    EXPECT_EQ(error("/api/v1/query_exemplars?query=a&start=2&end=1"),
              "400 bad_data: end timestamp must not be before start timestamp");
}

TEST_F(PrometheusInfo, Targets) {
    targets.push_back({.pool = "engine",
                       .url = "http://h:1/metrics",
                       .labels = {{"instance", "h:1"}, {"job", "engine"}},
                       .health = ScrapeTarget::Health::Down,
                       .error = "refused",
                       .last_scrape = from_millis(1'000),
                       .last_seconds = 0.25,
                       .interval = Duration{5'000},
                       .timeout = Duration{4'000}});
    EXPECT_EQ(
        data("/api/v1/targets"),
        R"({"activeTargets":[{"discoveredLabels":{"__address__":"h:1","__metrics_path__":"/metrics",)"
        R"("__scheme__":"http","__scrape_interval__":"5s","__scrape_timeout__":"4s","job":"engine"},)"
        R"("labels":{"instance":"h:1","job":"engine"},"scrapePool":"engine","scrapeUrl":"http://h:1/metrics",)"
        R"("globalUrl":"http://h:1/metrics","lastError":"refused","lastScrape":"1970-01-01T00:00:01.000Z",)"
        R"("lastScrapeDuration":0.25,"lastScrapeSamples":0,"health":"down","scrapeInterval":"5s","scrapeTimeout":"4s"}],)"
        R"("droppedTargets":[],"droppedTargetCounts":{}})");
    const std::string none = R"({"activeTargets":[],"droppedTargets":[],"droppedTargetCounts":{}})";
    EXPECT_EQ(data("/api/v1/targets?state=dropped"), none);
    EXPECT_EQ(data("/api/v1/targets?scrapePool=other"), none);
    EXPECT_NE(body("/api/v1/targets?state=active").find(R"("droppedTargetCounts":null)"), std::string::npos);
    EXPECT_EQ(data("/api/v1/scrape_pools"), R"({"scrapePools":["engine"]})");
    targets[0].discovered = {{"__address__", "h:1"}, {"__meta_x", "y"}};
    EXPECT_NE(body("/api/v1/targets").find(R"("discoveredLabels":{"__address__":"h:1","__meta_x":"y"})"),
              std::string::npos);
    services.discovery = [] {
        return Discovery{.dropped = {{"web", {{"__address__", "d:1"}}}},
                         .dropped_counts = {{"web", 7}},
                         .sources = {{.pool = "web", .kind = "file", .targets = 9, .asked = true, .error = "gone"}}};
    };
    EXPECT_EQ(data("/api/v1/targets?state=dropped"),
              R"({"activeTargets":[],"droppedTargets":[{"discoveredLabels":{"__address__":"d:1"},"scrapePool":"web"}],)"
              R"("droppedTargetCounts":{"web":7},"discovery":[{"scrapePool":"web","source":"file","targets":9,)"
              R"("asked":true,"lastError":"gone","lastSuccess":"0001-01-01T00:00:00Z"}]})");
    EXPECT_EQ(data("/api/v1/targets?state=dropped&scrapePool=other"), none);
    EXPECT_EQ(data("/api/v1/alertmanagers"), R"({"activeAlertmanagers":[],"droppedAlertmanagers":[]})");
}

class PrometheusRules : public PrometheusFixture {
protected:
    PrometheusRules() {
        alert::RuleStatus records;
        records.spec.name = "a:b";
        records.spec.expr = "up";
        records.spec.labels = {{"team", "x"}};
        alert::RuleStatus alerts;
        alerts.spec.kind = alert::RuleSpec::Kind::Alerting;
        alerts.spec.name = "Down";
        alerts.spec.expr = "up == 0";
        alert::ActiveAlert& firing = alerts.alerts.emplace_back();
        firing.labels = {{"alertname", "Down"}};
        firing.phase = alert::Phase::Firing;
        add_group("one.yml", "g1", {records, alerts});
        add_group("two.yml", "g2", {records});
    }

    void add_group(const std::string& file, const std::string& name, std::vector<alert::RuleStatus> rules) {
        alert::GroupStatus& group = groups.emplace_back();
        group.file = file;
        group.name = name;
        group.rules = std::move(rules);
    }

    // "g1: a:b Down, g2: a:b" and what stands beside the groups.
    std::string shown(const std::string& query) {
        const auto answer = nlohmann::json::parse(data("/api/v1/rules" + query), nullptr, false);
        if (!answer.is_object() || !answer.contains("groups")) return error("/api/v1/rules" + query);
        std::string text;
        for (const auto& group : answer["groups"]) {
            text += (text.empty() ? "" : ", ") + group["name"].get<std::string>() + ":";
            for (const auto& rule : group["rules"]) text += " " + rule["name"].get<std::string>();
        }
        token = answer.value("groupNextToken", "");
        return text + (token.empty() ? "" : " ...");
    }
    std::string token;
};

TEST_F(PrometheusRules, Filters) {
    EXPECT_EQ(shown(""), "g1: a:b Down, g2: a:b");
    EXPECT_EQ(shown("?type=alert"), "g1: Down");
    EXPECT_EQ(shown("?type=record&rule_group[]=g2&rule_group[]=g3"), "g2: a:b");
    EXPECT_EQ(shown("?rule_name[]=Down"), "g1: Down");
    EXPECT_EQ(shown("?file[]=two.yml"), "g2: a:b");
    EXPECT_EQ(shown("?match[]={team='x'}"), "g1: a:b, g2: a:b");
    EXPECT_EQ(shown("?match[]={team='y'}"), "");
    EXPECT_EQ(shown("?type=x"), R"(400 bad_data: invalid parameter \"type\": not supported value \"x\")");
    EXPECT_NE(body("/api/v1/rules").find(R"("alerts":[{)"), std::string::npos);
    EXPECT_EQ(body("/api/v1/rules?exclude_alerts=true").find(R"("alerts":[{)"), std::string::npos);
    EXPECT_EQ(shown("?exclude_alerts=x").substr(0, 14), "400 bad_data: ");
    EXPECT_NE(body("/api/v1/alerts").find(R"({"alerts":[{)"), std::string::npos);
}

TEST_F(PrometheusRules, Pages) {
    EXPECT_EQ(shown("?group_limit=1"), "g1: a:b Down ...");
    EXPECT_EQ(shown("?group_limit=1&group_next_token=" + token), "g2: a:b");
    EXPECT_EQ(shown("?group_limit=2"), "g1: a:b Down, g2: a:b");
    EXPECT_EQ(shown("?group_limit=1&group_next_token=x").substr(0, 14), "400 bad_data: ");
    EXPECT_EQ(shown("?group_next_token=x").substr(0, 14), "400 bad_data: ");
    EXPECT_EQ(shown("?group_limit=-1").substr(0, 14), "400 bad_data: ");
}

TEST_F(PrometheusInfo, Status) {
    facts.config_yaml = "a: 1\n";
    facts.flags = {{"log.level", "info"}};
    facts.retention = Duration{15LL * 24 * 3600 * 1000};
    EXPECT_EQ(data("/api/v1/status/config"), R"({"yaml":"a: 1\n"})");
    EXPECT_EQ(data("/api/v1/status/flags"), R"({"log.level":"info"})");
    EXPECT_NE(body("/api/v1/status/buildinfo").find(R"({"version":"3.)"), std::string::npos);
    EXPECT_NE(body("/api/v1/status/runtimeinfo").find(R"("storageRetention":"15d"})"), std::string::npos);
    EXPECT_EQ(data("/api/v1/notifications"), "[]");
}

TEST_F(PrometheusInfo, StatusOfTheStore) {
    store.counted.series_by_metric = {{"a", 3}, {"b", 1}};
    EXPECT_EQ(data("/api/v1/status/tsdb?limit=1"),
              R"({"headStats":{"numSeries":0,"numLabelPairs":0,"chunkCount":0,"minTime":0,"maxTime":0},)"
              R"("seriesCountByMetricName":[{"name":"a","value":3}],"labelValueCountByLabelName":[],)"
              R"("memoryInBytesByLabelName":[],"seriesCountByLabelValuePair":[]})");
    EXPECT_EQ(call("/api/v1/status/tsdb?match[]=a").status, 200);
    EXPECT_EQ(error("/api/v1/status/tsdb?limit=0"), "400 bad_data: limit must be a positive number");
    EXPECT_EQ(error("/api/v1/status/tsdb?limit=x"), "400 bad_data: limit must be a positive number");
}

TEST_F(PrometheusInfo, AdminIsOffUnlessAllowed) {
    for (const char* what : {"delete_series?match[]=a", "snapshot", "clean_tombstones"}) {
        EXPECT_EQ(error(std::string("POST /api/v1/admin/tsdb/") + what), "503 unavailable: admin APIs disabled");
    }
    EXPECT_TRUE(store.deleted.empty());
    EXPECT_FALSE(store.cleaned);
    EXPECT_EQ(store.snapshot_at, "");
}

TEST_F(PrometheusInfo, Admin) {
    services.admin = true;
    services.snapshots = testing::TempDir() + "snapshots";
    EXPECT_EQ(call("PUT /api/v1/admin/tsdb/delete_series?match[]=a&match[]=b&start=1&end=2").status, 204);
    EXPECT_EQ(store.deleted, (std::vector<std::string>{"a 1000 2000", "b 1000 2000"}));
    EXPECT_EQ(error("POST /api/v1/admin/tsdb/delete_series"), "400 bad_data: no match[] parameter provided");
    EXPECT_EQ(call("POST /api/v1/admin/tsdb/clean_tombstones").status, 204);
    EXPECT_TRUE(store.cleaned);
    EXPECT_EQ(data("POST /api/v1/admin/tsdb/snapshot").substr(0, 26), R"({"name":"19700101T001000Z-)");
    EXPECT_TRUE(store.snapshot_at.starts_with(services.snapshots + "/19700101T001000Z-")) << store.snapshot_at;
    EXPECT_EQ(error("POST /api/v1/admin/tsdb/snapshot?skip_head=x").substr(0, 14), "400 bad_data: ");
    EXPECT_EQ(call("GET /api/v1/admin/tsdb/snapshot").status, 405);
}

}  // namespace
}  // namespace stoker::api
