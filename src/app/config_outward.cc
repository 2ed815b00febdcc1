// collect.programs, and events with its webhooks.
#include "app/config_outward.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "app/config_checks.h"
#include "app/config_convert.h"

namespace stoker::app {
namespace {

outward::WebhookFormat webhook_format(const std::string& text) {
    if (text == "cloudevents") return outward::WebhookFormat::CloudEvents;
    return text == "template" ? outward::WebhookFormat::Template : outward::WebhookFormat::Json;
}

outward::Event example() {
    outward::Event event;
    event.type = "stoker.test";
    return event;
}

void check_template(config::Fields& f, const WebhookConfig& c) {
    f.check("body", (c.format == "template") == !c.body.empty(),
            c.body.empty() ? "must be given with `format: template`" : "is for `format: template` only");
    const auto filled = outward::fill_template(c.body, example(), "");
    f.check("body", filled.has_value(), filled ? "" : filled.error().message);
    if (!filled || c.body.empty() || c.content_type != "application/json") return;
    f.check("body", nlohmann::json::accept(*filled), "makes no JSON; a text stands in quotes: \"{{summary}}\"");
}

}  // namespace

void describe_way_out(config::Fields& f, std::string& ca_file, std::string& proxy) {
    f.field("ca_file", ca_file,
            "Certificates (PEM) that the receiver's is checked against, relative to the configuration file. Empty: the "
            "system's.");
    f.field("proxy", proxy,
            "HTTP proxy for https: http://HOST:PORT, `none`, or `environment` for HTTPS_PROXY and NO_PROXY.");
    const auto through = configured_proxy(proxy);
    f.check("proxy", through.has_value(), through ? "" : through.error().message);
}

void describe(config::Fields& f, ProgramConfig& c) {
    f.field("name", c.name, "The label `program` of its series: letters, digits, \"_.-\".");
    f.required("name");
    f.check("name", is_plain_name(c.name), "must be 1 to 64 letters, digits or \"_.-\"");
    f.field("command", c.command,
            "The program, found in PATH unless it has a slash, and its arguments. No shell reads them.");
    f.required("command");
    f.check("command", !c.command.empty(), "must name a program");
    positive(f, "interval", c.interval, "Time between two runs.");
    positive(f, "timeout", c.timeout, "After it the program and all that it started are killed.");
    f.check("timeout", c.timeout <= c.interval, "must not be longer than `interval`");
    f.field("user", c.user, "Whose rights it gets; Stoker must be root for that. Empty: Stoker's own.");
    f.field("directory", c.directory, "Its working directory.");
    f.field("env", c.env, "Its environment, beside PATH, HOME and LANG; it gets nothing of Stoker's.");
    f.field("max_output", c.max_output, "Standard output past which it is killed.");
    f.check("max_output", c.max_output.count > 0, kMustBePositive);
    f.field("max_memory", c.max_memory, "Memory for its data; 0 sets no limit.");
}

void check_programs(config::Fields& f, const std::vector<ProgramConfig>& programs) {
    std::set<std::string> names;
    for (std::size_t i = 0; i < programs.size(); ++i) {
        f.check(fmt::format("programs[{}].name", i), names.insert(programs[i].name).second,
                "is the name of another program already");
    }
}

void describe(config::Fields& f, WebhookConfig& c) {
    f.field("name", c.name, "What its metrics and its place in the log are called: letters, digits, \"_.-\".");
    f.required("name");
    f.check("name", is_plain_name(c.name), "must be 1 to 64 letters, digits or \"_.-\"");
    f.field("url", c.url, "Where events are POSTed to: https://HOST/PATH.");
    f.required("url");
    check_url(f, "url", c.url);
    f.field("types", c.types,
            "Types of events that are sent (docs/events.md), `incident.*` for all of a kind. Empty: all.");
    for (std::size_t i = 0; i < c.types.size(); ++i) {
        f.check(fmt::format("types[{}]", i), outward::is_event_pattern(c.types[i]),
                "fits no type of event (docs/events.md lists them)");
    }
    f.choice("severity", c.severity, {"info", "warning", "critical"}, "Least severity that is sent.");
    f.choice("format", c.format, {"json", "cloudevents", "template"},
             "The body: the event as `/api/v1/events` has it, a CloudEvent, or what `body` makes of it.");
    f.field("body", c.body,
            "Template of the body: {{id}}, {{type}}, {{severity}}, {{subject}}, {{summary}}, {{time}} and {{source}} "
            "as the inside of a JSON string, {{data}} as JSON.");
    f.field("content_type", c.content_type, "What `body` makes; anything but application/json is not checked.");
    check_template(f, c);
    f.secret("secret", c.secret,
             "Key of the signature (Standard Webhooks: header webhook-signature): `whsec_` and base64, or any text. "
             "Empty: not signed.");
    const auto key = outward::webhook_key(c.secret);
    f.check("secret", key.has_value(), key ? "" : key.error().message);
    f.secrets("headers", c.headers, "HTTP headers sent along.");
    positive(f, "timeout", c.timeout, "Limit for one request.");
    positive(f, "give_up_after", c.give_up_after,
             "How long one event is tried again before it is given up and the next one's turn comes.");
    describe_way_out(f, c.ca_file, c.proxy);
}

void describe(config::Fields& f, EventsConfig& c) {
    positive(f, "retention", c.retention, "How long events are kept after every webhook has passed them.");
    f.field("max_size", c.max_size, "Size on disk past which the oldest go, whoever still wants them.");
    f.check("max_size", c.max_size.count >= std::uint64_t{64} * 1024, "must be at least 64KiB");
    f.list("webhooks", c.webhooks, "Who is told of events, each at its own pace.");
    std::set<std::string> names;
    for (std::size_t i = 0; i < c.webhooks.size(); ++i) {
        f.check(fmt::format("webhooks[{}].name", i), names.insert(c.webhooks[i].name).second,
                "is the name of another webhook already");
    }
}

collect::ProgramSpec program_spec(const ProgramConfig& config) {
    collect::ProgramSpec spec;
    spec.command = config.command;
    spec.user = config.user;
    spec.environment = config.env;
    spec.directory = config.directory;
    spec.timeout = config.timeout;
    spec.max_output = config.max_output.count;
    spec.max_memory = config.max_memory.count;
    return spec;
}

outward::EventLogOptions event_log_options(const EventsConfig& config) {
    return {.max_bytes = config.max_size.count, .retain_for = config.retention};
}

outward::WebhookOptions webhook_options(const WebhookConfig& config, const std::string& source) {
    outward::WebhookOptions options;
    options.name = config.name;
    options.url = config.url;
    options.filter = {config.types, outward::severity_from(config.severity)};
    options.format = webhook_format(config.format);
    options.body = config.body;
    options.content_type = config.content_type;
    options.secret = config.secret;
    options.headers = config.headers;
    options.timeout = config.timeout;
    options.give_up_after = config.give_up_after;
    options.source = source;
    return options;
}

}  // namespace stoker::app
