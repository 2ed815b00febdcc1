// The configuration of what comes from programs and goes to others: collectors that are programs, events, webhooks.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/time.h"
#include "collect/program/program.h"
#include "outward/event_log.h"
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

void describe(config::Fields& f, ProgramConfig& c);
void describe(config::Fields& f, WebhookConfig& c);
void describe(config::Fields& f, EventsConfig& c);

// What only all programs show.
void check_programs(config::Fields& f, const std::vector<ProgramConfig>& programs);

collect::ProgramSpec program_spec(const ProgramConfig& config);
outward::EventLogOptions event_log_options(const EventsConfig& config);
// `source`: where people reach this Stoker.
outward::WebhookOptions webhook_options(const WebhookConfig& config, const std::string& source);

}  // namespace stoker::app
