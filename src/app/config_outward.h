// The configuration of what comes from programs and goes to others: collectors that are programs, events, webhooks,
// OTLP, Kafka.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/time.h"
#include "collect/program/program.h"
#include "outward/event_log.h"
#include "outward/kafka_client.h"
#include "outward/otlp_export.h"
#include "outward/webhook.h"

namespace stoker::app {

struct ProgramConfig {
    std::string name;
    std::vector<std::string> command;
    Duration interval{60'000};
    Duration timeout = collect::ProgramSpec{}.timeout;
    std::string user = collect::ProgramSpec{}.user;
    std::string directory = collect::ProgramSpec{}.directory;
    std::map<std::string, std::string> env;
    config::Bytes max_output{collect::ProgramSpec{}.max_output};
    config::Bytes max_memory{collect::ProgramSpec{}.max_memory};
};

struct WebhookConfig {
    std::string name;
    std::string url;
    std::vector<std::string> types;
    std::string severity = "info";
    std::string format = "json";
    std::string body;
    std::string content_type = outward::WebhookOptions{}.content_type;
    std::string secret;
    std::map<std::string, std::string> headers;
    Duration timeout = outward::WebhookOptions{}.timeout;
    Duration give_up_after = outward::WebhookOptions{}.give_up_after;
    std::string ca_file;
    std::string proxy = "environment";
};

struct EventsConfig {
    Duration retention = outward::EventLogOptions{}.retain_for;
    config::Bytes max_size{outward::EventLogOptions{}.max_bytes};
    std::vector<WebhookConfig> webhooks;
};

struct OtlpExportConfig {
    std::string name;
    std::string endpoint;  // Of metrics.
    std::string traces_endpoint;
    std::string logs_endpoint;
    std::map<std::string, std::string> headers;
    std::string bearer_token;
    std::map<std::string, std::string> resource;
    Duration timeout{10'000};
    config::Bytes queue_size{outward::OtlpExportOptions{}.max_queue_bytes};
    std::string ca_file;
    std::string proxy = "environment";
};

struct ExportConfig {
    std::vector<OtlpExportConfig> otlp;
};

struct KafkaOutConfig {
    std::string topic;
    std::string what;
    std::string key;
    config::Bytes queue_size{std::uint64_t{1} << 30};
};

struct KafkaInConfig {
    std::string topic;
    std::string format;
    std::string group = "stoker";
};

struct KafkaConfig {
    std::vector<std::string> brokers;
    std::map<std::string, std::string> properties;
    std::vector<KafkaOutConfig> out;
    std::vector<KafkaInConfig> in;
};

struct FederationPeerConfig {
    std::string name;
    std::string url;
    std::string token;
};

// Other Stokers (or Prometheus servers) whose series are asked for beside our own.
struct FederationConfig {
    std::string name = "local";
    Duration timeout{5'000};
    std::int64_t max_samples = 10'000'000;
    std::vector<FederationPeerConfig> peers;
};

void describe(config::Fields& f, FederationPeerConfig& c);
void describe(config::Fields& f, FederationConfig& c);
void describe(config::Fields& f, OtlpExportConfig& c);
void describe(config::Fields& f, ExportConfig& c);
void describe(config::Fields& f, KafkaOutConfig& c);
void describe(config::Fields& f, KafkaInConfig& c);
void describe(config::Fields& f, KafkaConfig& c);
void describe(config::Fields& f, ProgramConfig& c);
void describe(config::Fields& f, WebhookConfig& c);
void describe(config::Fields& f, EventsConfig& c);

// What only all programs show.
void check_programs(config::Fields& f, const std::vector<ProgramConfig>& programs);

outward::KafkaOptions kafka_options(const KafkaConfig& config);
collect::ProgramSpec program_spec(const ProgramConfig& config);
outward::EventLogOptions event_log_options(const EventsConfig& config);
// `source`: where people reach this Stoker.
outward::WebhookOptions webhook_options(const WebhookConfig& config, const std::string& source);

}  // namespace stoker::app
