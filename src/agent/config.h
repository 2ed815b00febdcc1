// What agent.yaml may say, with its defaults. docs/agent-configuration.md is generated from its descriptions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/actions.h"
#include "agent/buffer.h"
#include "agent/config_sources.h"
#include "agent/delivery.h"
#include "agent/local_rules.h"
#include "agent/sender.h"
#include "base/config.h"
#include "base/result.h"
#include "base/time.h"

namespace stoker::agent {

struct DestinationConfig {
    std::string name;
    std::string url;
    std::string protocol = "2.0";
    std::string compression = "zstd";
    std::string token_file;
    std::map<std::string, std::string> headers;
    TlsConfig tls;
    Duration timeout{30'000};
};

struct BufferConfig {
    config::Bytes max_size{BufferOptions{}.max_bytes};
    Duration max_age = BufferOptions{}.max_age;
};

struct SendConfig {
    Duration interval = DeliveryOptions{}.interval;
    std::int64_t max_samples = static_cast<std::int64_t>(SenderOptions{}.most_samples);
    std::int64_t catch_up = static_cast<std::int64_t>(DeliveryOptions{}.catch_up);
    Duration max_backoff = DeliveryOptions{}.max_backoff;
    Duration switch_after = DeliveryOptions{}.switch_after;
    Duration return_every = DeliveryOptions{}.return_every;
};

struct LimitsConfig {
    config::Bytes memory{std::uint64_t{64} << 20};
    std::int64_t nice = 10;
};

// A rule that the agent evaluates itself, and what it does then.
struct RuleConfig {
    std::string name;
    std::string expr;
    Duration hold_for{0};
    Duration repeat = LocalRule{}.repeat;
    std::vector<std::string> run;
    std::string webhook;
    Duration timeout = Action{}.timeout;
};

struct LogConfig {
    std::string level = "info";
    std::string format = "text";
};

struct Config {
    std::string data_dir;
    std::string instance;
    std::map<std::string, std::string> labels;
    Duration interval{1'000};
    Duration deadline{10'000};
    Duration self_interval{15'000};
    std::vector<DestinationConfig> destinations;
    std::string mode = "both";
    BufferConfig buffer;
    SendConfig send;
    LimitsConfig limits;
    GpuOptions gpu;
    LogsConfig logs;
    std::vector<RuleConfig> rules;
    ResolutionOptions adaptive;
    LogConfig log;
};

void describe(config::Fields& f, DestinationConfig& c);
void describe(config::Fields& f, BufferConfig& c);
void describe(config::Fields& f, SendConfig& c);
void describe(config::Fields& f, LimitsConfig& c);
void describe(config::Fields& f, RuleConfig& c);
void describe(config::Fields& f, LogConfig& c);
void describe(config::Fields& f, Config& c);

struct Loaded {
    Config config;
    std::vector<std::string> problems;  // Not empty: the configuration must not be used.
};

// Relative paths are taken from the file's folder. Never fails as a whole: a file that can't be read is a problem too.
Loaded load_config(const std::string& file, const config::Environment& environment);

// One sender's options for each cursor: one a destination, or one for all of them that fail over to each other.
std::vector<SenderOptions> sender_options(const Config& config);

// docs/agent-configuration.md.
std::string configuration_markdown();

}  // namespace stoker::agent
