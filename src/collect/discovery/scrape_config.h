// Scrape configurations in Prometheus' shape: what a job scrapes, where its targets come from, how they are relabelled.
//
// Plain values; describe() reads, checks and documents them, in stoker.yaml and in prometheus.yml alike.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/time.h"
#include "collect/discovery/http_config.h"
#include "collect/discovery/kubernetes_config.h"
#include "collect/discovery/relabel.h"
#include "collect/discovery/source_configs.h"

namespace stoker::collect {

struct StaticConfig {
    std::vector<std::string> targets;  // HOST:PORT.
    std::map<std::string, std::string> labels;
    friend bool operator==(const StaticConfig&, const StaticConfig&) = default;
};

struct FileSdConfig {
    std::vector<std::string> files;  // Patterns.
    Duration refresh_interval{300'000};
    friend bool operator==(const FileSdConfig&, const FileSdConfig&) = default;
};

struct HttpSdConfig {
    std::string url;
    Duration refresh_interval{60'000};
    HttpConfig http;
    friend bool operator==(const HttpSdConfig&, const HttpSdConfig&) = default;
};

struct ScrapeConfig {
    std::string job_name;
    bool honor_labels = false;
    bool honor_timestamps = true;
    std::map<std::string, std::vector<std::string>> params;
    Duration scrape_interval{0};  // 0: that of `global`, or of `collect`.
    Duration scrape_timeout{0};
    std::string metrics_path = "/metrics";
    std::string scheme = "http";
    std::string body_size_limit = "0";  // As written: Prometheus' units, KB and KiB both 1024 bytes. 0: none.
    std::int64_t sample_limit = 0;      // After metric_relabel_configs. 0: none, here and below.
    std::int64_t target_limit = 0;
    std::int64_t label_limit = 0;
    std::int64_t label_name_length_limit = 0;
    std::int64_t label_value_length_limit = 0;
    std::int64_t keep_dropped_targets = 0;
    bool enable_compression = true;
    std::vector<std::string> scrape_protocols;
    HttpConfig http;
    std::vector<StaticConfig> static_configs;
    std::vector<FileSdConfig> file_sd_configs;
    std::vector<HttpSdConfig> http_sd_configs;
    std::vector<DnsSdConfig> dns_sd_configs;
    std::vector<KubernetesSdConfig> kubernetes_sd_configs;
    std::vector<DockerSdConfig> docker_sd_configs;
    std::vector<ConsulSdConfig> consul_sd_configs;
    std::vector<RelabelConfig> relabel_configs;
    std::vector<RelabelConfig> metric_relabel_configs;
    friend bool operator==(const ScrapeConfig&, const ScrapeConfig&) = default;
};

void describe(config::Fields& f, StaticConfig& c);
void describe(config::Fields& f, FileSdConfig& c);
void describe(config::Fields& f, HttpSdConfig& c);
void describe(config::Fields& f, ScrapeConfig& c);

// Reports job names that are given twice; `key` is that of the list.
void check_job_names(config::Fields& f, std::string_view key, const std::vector<ScrapeConfig>& jobs);

// What a job takes over from what is around it.
struct ScrapeDefaults {
    Duration interval{60'000};
    Duration timeout{10'000};
    std::string folder;  // That relative paths start from.
};

// Fills in intervals and paths. Errors: InvalidArgument (a timeout longer than its interval).
Result<Unit> complete(ScrapeConfig& job, const ScrapeDefaults& defaults);

// "10MB", "512KiB", "0". Errors: InvalidArgument.
Result<std::uint64_t> parse_prometheus_bytes(std::string_view text);

}  // namespace stoker::collect
