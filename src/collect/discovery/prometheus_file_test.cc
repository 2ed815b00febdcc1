// A prometheus.yml as it is, and what is said of one that can't be used.
#include "collect/discovery/prometheus_file.h"

#include <gmock/gmock.h>

namespace stoker::collect {
namespace {

constexpr const char* kWhole = R"(
global:
  scrape_interval: 15s
  evaluation_interval: 15s
  external_labels: {cluster: eu}
  sample_limit: 1000
rule_files: [rules/*.yml]
alerting: {alertmanagers: [{static_configs: [{targets: [am:9093]}]}]}
scrape_configs:
- job_name: node
  static_configs:
  - targets: ['a:9100', 'b:9100']
    labels: {zone: x}
- job_name: probe
  scrape_interval: 1m
  metrics_path: /probe
  scheme: https
  params: {module: [http_2xx]}
  basic_auth: {username: u, password_file: secret}
  tls_config: {ca_file: ca.pem, insecure_skip_verify: true}
  file_sd_configs: [{files: ['t/*.yml'], refresh_interval: 30s}]
  http_sd_configs: [{url: 'http://sd/x', authorization: {credentials: t}}]
  proxy_url: http://user:pass@proxy:3128
  relabel_configs:
  - {source_labels: [__address__], target_label: __param_target}
  - {regex: '(.+)', replacement: 'x${1}', source_labels: [a, b], target_label: c, separator: '-'}
  metric_relabel_configs:
  - {source_labels: [__name__], regex: 'go_.*', action: drop}
- job_name: tokens
  oauth2:
    client_id: me
    client_secret_file: oauth2
    scopes: [a, b]
    token_url: https://tokens.example/token
    endpoint_params: {audience: x}
    tls_config: {ca_file: tokens.pem}
    proxy_url: http://proxy:3128
    no_proxy: tokens.example
  consul_sd_configs:
  - {server: 'localhost:8500', filter: 'ServiceMeta.team == "x"', health_filter: 'Service.Port == 80', path_prefix: /c}
  kubernetes_sd_configs: [{role: ingress}]
)";

TEST(PrometheusFile, IsReadAsItIs) {
    const ScrapeFiles read = parse_scrape_file(kWhole, "/etc/prometheus/prometheus.yml");
    ASSERT_TRUE(read.problems.empty()) << read.problems.front().text();
    ASSERT_EQ(read.jobs.size(), 3u);
    const ScrapeConfig& node = read.jobs[0];
    EXPECT_EQ(node.scrape_interval, Duration{15'000});
    EXPECT_EQ(node.scrape_timeout, Duration{10'000});
    EXPECT_EQ(node.sample_limit, 1000);
    EXPECT_THAT(node.static_configs.at(0).targets, testing::ElementsAre("a:9100", "b:9100"));
    const ScrapeConfig& probe = read.jobs[1];
    EXPECT_EQ(probe.scrape_interval, Duration{60'000});
    EXPECT_EQ(probe.params.at("module").at(0), "http_2xx");
    EXPECT_EQ(probe.http.basic_auth->password_file, "/etc/prometheus/secret");
    EXPECT_EQ(probe.http.tls_config->ca_file, "/etc/prometheus/ca.pem");
    EXPECT_EQ(probe.file_sd_configs.at(0).files.at(0), "/etc/prometheus/t/*.yml");
    EXPECT_EQ(probe.http_sd_configs.at(0).http.authorization->credentials, "t");
    EXPECT_EQ(probe.relabel_configs.at(1).replacement, "x${1}");
    EXPECT_EQ(probe.relabel_configs.at(1).separator, "-");
    EXPECT_EQ(probe.metric_relabel_configs.at(0).action, "drop");
    EXPECT_EQ(probe.http.proxy.proxy_url, "http://user:pass@proxy:3128");
    const ScrapeConfig& tokens = read.jobs[2];
    EXPECT_EQ(tokens.http.oauth2->client_secret_file, "/etc/prometheus/oauth2");
    EXPECT_EQ(tokens.http.oauth2->tls_config->ca_file, "/etc/prometheus/tokens.pem");
    EXPECT_EQ(tokens.http.oauth2->proxy.no_proxy, "tokens.example");
    EXPECT_THAT(tokens.http.oauth2->scopes, testing::ElementsAre("a", "b"));
    EXPECT_EQ(tokens.consul_sd_configs.at(0).filter, "ServiceMeta.team == \"x\"");
    EXPECT_EQ(tokens.kubernetes_sd_configs.at(0).role, "ingress");
    EXPECT_THAT(read.unused, testing::UnorderedElementsAre("/etc/prometheus/prometheus.yml: rule_files",
                                                           "/etc/prometheus/prometheus.yml: alerting"));
}

std::string problems(const std::string& text) {
    std::string out;
    for (const auto& problem : parse_scrape_file(text, "p.yml").problems) out += problem.text() + "\n";
    return out;
}

TEST(PrometheusFile, ProblemsHaveTheirPlace) {
    EXPECT_THAT(problems("scrape_configs:\n- job_name: a\n  http_headers: {x: {values: [y]}}\n"),
                testing::AllOf(testing::HasSubstr("p.yml:3:"), testing::HasSubstr("scrape_configs[0].http_headers"),
                               testing::HasSubstr("is not supported")));
    EXPECT_THAT(problems("scrape_configs:\n- job_name: a\n  oauth2: {client_id: x}\n"),
                testing::AllOf(testing::HasSubstr("p.yml:3:"), testing::HasSubstr("token_url")));
    EXPECT_THAT(problems("scrape_configs:\n- job_name: a\n  basic_auth: {username: x}\n"
                         "  oauth2: {client_id: x, token_url: 'http://t/'}\n"),
                testing::HasSubstr("at most one of"));
    EXPECT_THAT(problems("scrape_configs:\n- job_name: a\n  proxy_url: 'socks5://p:1'\n"),
                testing::AllOf(testing::HasSubstr("p.yml:3:"), testing::HasSubstr("plain HTTP")));
    EXPECT_THAT(problems("scrape_configs:\n- job_name: a\n  no_proxy: x\n"), testing::HasSubstr("needs 'proxy_url'"));
    EXPECT_THAT(problems("scrape_configs:\n- job_name: a\n  ec2_sd_configs: [{region: x}]\n"),
                testing::AllOf(testing::HasSubstr("p.yml:3:"), testing::HasSubstr("ec2_sd_configs")));
    EXPECT_THAT(problems("scrape_configs:\n- job_name: a\n  metric_path: /x\n"),
                testing::HasSubstr("did you mean 'metrics_path'?"));
    EXPECT_THAT(problems("scrape_configs:\n- metrics_path: /x\n"), testing::HasSubstr("job_name"));
    EXPECT_THAT(problems("scrape_configs:\n- job_name: a\n- job_name: a\n"),
                testing::AllOf(testing::HasSubstr("p.yml:3:"), testing::HasSubstr("'a' is there already")));
    EXPECT_THAT(problems("scrape_configs:\n- job_name: a\n  relabel_configs:\n  - {action: kepe}\n"),
                testing::AllOf(testing::HasSubstr("p.yml:4:"), testing::HasSubstr("did you mean 'keep'?")));
    EXPECT_THAT(problems("global: {scrape_interval: 5s}\nscrape_configs:\n- job_name: a\n  scrape_timeout: 6s\n"),
                testing::AllOf(testing::HasSubstr("p.yml:4:"), testing::HasSubstr("longer")));
    EXPECT_THAT(problems("scrape_configs:\n- job_name: a\n  static_configs: [{targets: ['http://x']}]\n"),
                testing::HasSubstr("without a scheme"));
    EXPECT_THAT(problems("scrape_configs:\n- job_name: a\n  bearer_token: x\n  basic_auth: {username: y}\n"),
                testing::HasSubstr("at most one of"));
    EXPECT_THAT(problems("scrape_config: []\n"), testing::HasSubstr("did you mean 'scrape_configs'?"));
    EXPECT_THAT(problems("scrape_configs: ["), testing::HasSubstr("YAML"));
    EXPECT_EQ(problems(""), "");
}

}  // namespace
}  // namespace stoker::collect
