// export, kafka and federation: samples, requests and events for others, and samples from them.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "app/config_checks.h"
#include "app/config_convert.h"
#include "app/config_outward.h"
#include "outward/kafka_in.h"

namespace stoker::app {
namespace {

// Kafka's own rule for topics.
bool is_topic(std::string_view name) {
    constexpr std::size_t kLongest = 249;
    const auto good = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
               c == '-';
    };
    return !name.empty() && name.size() <= kLongest && name != "." && name != ".." &&
           std::all_of(name.begin(), name.end(), good);
}

void topic(config::Fields& f, std::string& value, std::string_view doc) {
    f.field("topic", value, doc);
    f.required("topic");
    f.check("topic", is_topic(value), "must be 1 to 249 letters, digits or \"._-\"");
}

}  // namespace

void describe(config::Fields& f, OtlpExportConfig& c) {
    f.field("name", c.name, "What its metrics and its queue's folder are called: letters, digits, \"_.-\".");
    f.required("name");
    f.check("name", is_plain_name(c.name), "must be 1 to 64 letters, digits or \"_.-\"");
    f.field("endpoint", c.endpoint, "Receiver of metrics by OTLP/HTTP: http://HOST:4318/v1/metrics. Empty: none.");
    f.field("traces_endpoint", c.traces_endpoint,
            "Receiver of all spans that come here and of the gateway's: http://HOST:4318/v1/traces. Empty: none.");
    f.field("logs_endpoint", c.logs_endpoint,
            "Receiver of all lines of log that come here: http://HOST:4318/v1/logs. Empty: none.");
    f.check("endpoint", !c.endpoint.empty() || !c.traces_endpoint.empty() || !c.logs_endpoint.empty(),
            "is missing, and so are 'traces_endpoint' and 'logs_endpoint': one of them must be given");
    check_url(f, "endpoint", c.endpoint);
    check_url(f, "traces_endpoint", c.traces_endpoint);
    check_url(f, "logs_endpoint", c.logs_endpoint);
    f.secrets("headers", c.headers, "HTTP headers sent along.");
    f.secret("bearer_token", c.bearer_token, "Token sent as Authorization.");
    f.field("resource", c.resource, "Attributes of every resource, beside service.name and service.instance.id.");
    positive(f, "timeout", c.timeout, "Limit for one request.");
    f.field(
        "queue_size", c.queue_size,
        "Bytes on disk for metrics that the receiver has not taken yet; past it the oldest are dropped and counted. "
        "Spans and logs have `storage.telemetry.buffer`.");
    f.check("queue_size", c.queue_size.count > 0, kMustBePositive);
    describe_way_out(f, c.ca_file, c.proxy);
}

void describe(config::Fields& f, ExportConfig& c) {
    f.list("otlp", c.otlp, "Receivers of everything that comes here, by OTLP: metrics, traces, logs.");
    std::set<std::string> names;
    for (std::size_t i = 0; i < c.otlp.size(); ++i) {
        f.check(fmt::format("otlp[{}].name", i), names.insert(c.otlp[i].name).second,
                "is the name of another entry already");
    }
}

void describe(config::Fields& f, KafkaOutConfig& c) {
    topic(f, c.topic, "The topic that messages go to.");
    f.choice("what", c.what, {"requests", "events", "samples"},
             "Requests (docs/format/records.md) and events (docs/events.md) as JSON, samples as remote write 1.0.");
    f.required("what");
    f.field("key", c.key,
            "The member of the request or event that becomes the message's key; messages of one key stay in order. "
            "Empty: `id` of requests, `subject` of events. Samples have JOB/INSTANCE.");
    f.check("key", c.key.empty() || c.what != "samples", "is not for samples");
    f.field("queue_size", c.queue_size,
            "Of samples: bytes on disk for what Kafka has not taken yet; past it the oldest is dropped and counted.");
    f.check("queue_size", c.queue_size.count > 0, kMustBePositive);
}

void describe(config::Fields& f, KafkaInConfig& c) {
    topic(f, c.topic, "The topic that messages come from.");
    f.choice("format", c.format, {"remote_write", "remote_write_2", "otlp", "otlp_json", "json"},
             "What each message is: remote write 1.0 or 2.0 in snappy, OTLP metrics, or the JSON of "
             "`/api/v1/metrics/batch`.");
    f.required("format");
    f.field("group", c.group, "The consumer group, which remembers what was taken, is GROUP.TOPIC.");
    f.check("group", !c.group.empty(), "must not be empty");
}

void describe(config::Fields& f, KafkaConfig& c) {
    f.field("brokers", c.brokers, "HOST:PORT of some brokers; they name the others.");
    f.secrets("properties", c.properties,
              "Settings of librdkafka by its own names: security.protocol, sasl.username, compression.codec, ...");
    f.list("out", c.out, "Topics that Stoker writes.");
    f.list("in", c.in, "Topics whose samples are taken.");
    f.check("brokers", !c.brokers.empty() || (c.out.empty() && c.in.empty()), "must name a broker");
    std::set<std::string> topics;
    for (std::size_t i = 0; i < c.out.size(); ++i) {
        f.check(fmt::format("out[{}].topic", i), topics.insert(c.out[i].topic).second, "is written already");
    }
    topics.clear();
    for (std::size_t i = 0; i < c.in.size(); ++i) {
        f.check(fmt::format("in[{}].topic", i), topics.insert(c.in[i].topic).second, "is read already");
    }
}

void describe(config::Fields& f, FederationPeerConfig& c) {
    f.field("name", c.name, "The label `stoker` of its series: letters, digits, \"_.-\".");
    f.required("name");
    f.check("name", is_plain_name(c.name), "must be 1 to 64 letters, digits or \"_.-\"");
    f.field("url", c.url, "Its console, or any server of Prometheus' remote read: https://HOST:8701.");
    f.required("url");
    check_url(f, "url", c.url);
    f.secret("token", c.token, "Bearer token sent along.");
}

void describe(config::Fields& f, FederationConfig& c) {
    f.field("name", c.name, "The label `stoker` of this one's own series in the view.");
    f.check("name", is_plain_name(c.name), "must be 1 to 64 letters, digits or \"_.-\"");
    positive(f, "timeout", c.timeout, "How long a query waits for a peer; then it goes on without, and says so.");
    at_least(f, "max_samples", c.max_samples, 1, "Samples taken from one peer for one selector.");
    f.list("peers", c.peers, "The others. Each keeps its data.");
    std::set<std::string> names = {c.name};
    for (std::size_t i = 0; i < c.peers.size(); ++i) {
        f.check(fmt::format("peers[{}].name", i), names.insert(c.peers[i].name).second, "is a name here already");
    }
}

outward::KafkaOptions kafka_options(const KafkaConfig& config) {
    return {.brokers = config.brokers, .properties = config.properties};
}

}  // namespace stoker::app
