// collect: what is measured, and how often.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "app/config_gpu.h"
#include "app/config_outward.h"
#include "base/config.h"
#include "base/time.h"
#include "collect/collector.h"
#include "collect/discovery/scrape_config.h"
#include "collect/host/host_options.h"

namespace stoker::app {

struct DiscoveryConfig {
    bool enabled = true;
    Duration interval = collect::CollectOptions{}.discover_interval;
    std::vector<std::string> ports;
};

struct TargetConfig {
    std::string url;
    std::string path = "/metrics";
    std::string token;
    bool honor_labels = collect::TargetSpec{}.honor_labels;
    bool honor_timestamps = collect::TargetSpec{}.honor_timestamps;
};

struct EnginesConfig {
    std::vector<std::string> adapters;  // Files, as written.
    // What they say, with the built-in ones; read with the configuration.
    std::shared_ptr<const collect::Adapters> in_force = collect::built_in_adapters();
};

struct NodeConfig {
    Duration interval{0};  // 0: the scrape interval.
    collect::HostOptions host;
};

struct CollectConfig {
    bool host = true;
    GpuConfig gpu;
    NodeConfig node;
    Duration scrape_interval = collect::CollectOptions{}.interval;
    Duration scrape_timeout = collect::CollectOptions{}.timeout;
    config::Bytes max_scrape_size{collect::CollectOptions{}.max_body};
    bool scrape_native_histograms = collect::CollectOptions{}.native_histograms;
    std::int64_t sample_limit = static_cast<std::int64_t>(collect::CollectOptions{}.max_samples);
    std::int64_t label_limit = static_cast<std::int64_t>(collect::LabelLimits{}.max_labels);
    std::int64_t label_name_length_limit = static_cast<std::int64_t>(collect::LabelLimits{}.max_name_bytes);
    std::int64_t label_value_length_limit = static_cast<std::int64_t>(collect::LabelLimits{}.max_value_bytes);
    DiscoveryConfig discovery;
    EnginesConfig engines;
    std::vector<TargetConfig> targets;
    std::vector<collect::ScrapeConfig> scrape_configs;
    std::vector<std::string> scrape_config_files;  // Patterns, as written.
    std::vector<ProgramConfig> programs;
    std::vector<std::string> textfiles;
};

void describe(config::Fields& f, EnginesConfig& c);
void describe(config::Fields& f, DiscoveryConfig& c);
void describe(config::Fields& f, TargetConfig& c);
void describe(config::Fields& f, NodeConfig& c);
void describe(config::Fields& f, CollectConfig& c);

}  // namespace stoker::app
