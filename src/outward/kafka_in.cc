#include "outward/kafka_in.h"

#include <utility>

#include "base/log.h"

namespace stoker::outward {
namespace {

constexpr Duration kPause{500};  // Before a message is offered again that the store did not take.

metrics::Counter& counter(metrics::Registry& registry, const std::string& topic, const char* result) {
    return registry
        .counter("stoker_kafka_in_messages_total",
                 "Messages from Kafka: taken, bad (no such message; passed over), again (the store took nothing just "
                 "then).",
                 {"topic", "result"})
        .with({topic, result});
}

}  // namespace

KafkaFormat kafka_format(const std::string& name) {
    if (name == "remote_write") return {"/api/v1/write", "application/x-protobuf", "snappy"};
    if (name == "remote_write_2") {
        return {"/api/v1/write", "application/x-protobuf;proto=io.prometheus.write.v2.Request", "snappy"};
    }
    if (name == "otlp") return {"/v1/metrics", "application/x-protobuf", ""};
    if (name == "otlp_json") return {"/v1/metrics", "application/json", ""};
    if (name == "json") return {"/api/v1/metrics/batch", "application/json", ""};
    return {};
}

KafkaIn::KafkaIn(std::string topic, KafkaFormat format, Receive receive, std::unique_ptr<KafkaConsumer> consumer,
                 metrics::Registry& registry)
    : topic_(std::move(topic)),
      format_(std::move(format)),
      receive_(std::move(receive)),
      consumer_(std::move(consumer)),
      taken_(counter(registry, topic_, "taken")),
      bad_(counter(registry, topic_, "bad")),
      again_(counter(registry, topic_, "again")),
      errors_(registry
                  .counter("stoker_kafka_in_errors_total", "Errors of the connection to Kafka, the group, or a commit.",
                           {"topic"})
                  .with({topic_})) {}

void KafkaIn::poll(Duration wait, const std::function<bool()>& stopping) {
    if (std::chrono::steady_clock::now() < not_before_) return;
    while (!stopping()) {
        const auto taken = consumer_->poll(wait, [this](std::string_view value) { return take(value); });
        if (!taken.error.empty()) {
            errors_.add();
            complain(taken.error);
        }
        if (taken.message) last_error_.clear();
        if (!taken.message) return;
    }
}

bool KafkaIn::take(std::string_view value) {
    collect::PushRequest request;
    request.path = format_.path;
    request.headers.set("Content-Type", format_.content_type);
    if (!format_.content_encoding.empty()) request.headers.set("Content-Encoding", format_.content_encoding);
    request.body = std::string(value);
    request.now = now();
    const net::Response answer = receive_(request);
    if (answer.status / 100 == 2) {
        taken_.add();
        return true;
    }
    if (answer.status == 429 || answer.status >= 500) {
        again_.add();
        not_before_ = std::chrono::steady_clock::now() + kPause;
        complain("the store took nothing: " + answer.body.substr(0, 200));
        return false;
    }
    bad_.add();
    complain("a message was passed over: " + answer.body.substr(0, 200));
    return true;
}

void KafkaIn::complain(const std::string& error) {
    if (std::exchange(last_error_, error) == error) return;
    log::warn("Kafka", {{"topic", topic_}, {"error", error}});
}

}  // namespace stoker::outward
