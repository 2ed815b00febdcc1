#include "outward/kafka_out.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace stoker::outward {
namespace {

constexpr std::size_t kAtOnce = 500;
constexpr Duration kFirstPause{500};
constexpr Duration kLongestPause{30'000};

}  // namespace

metrics::Counter& kafka_out_counter(metrics::Registry& registry, const std::string& topic, const char* result) {
    return registry
        .counter("stoker_kafka_out_messages_total",
                 "Messages for Kafka: sent, refused (too large for the brokers), lost (the journal dropped them before "
                 "they were sent).",
                 {"topic", "result"})
        .with({topic, result});
}

KafkaOut::KafkaOut(KafkaOutOptions options, journal::Journal& journal, std::unique_ptr<KafkaProducer> producer,
                   metrics::Registry& registry)
    : options_(std::move(options)),
      journal_(journal),
      producer_(std::move(producer)),
      sent_(kafka_out_counter(registry, options_.topic, "sent")),
      refused_(kafka_out_counter(registry, options_.topic, "refused")),
      lost_(kafka_out_counter(registry, options_.topic, "lost")),
      failures_(registry
                    .counter("stoker_kafka_out_failures_total",
                             "Batches for Kafka that were not answered for in time and are sent again.", {"topic"})
                    .with({options_.topic})),
      waiting_(registry
                   .gauge("stoker_kafka_out_waiting_records", "Records that were not sent to Kafka yet, fit or not.",
                          {"topic"})
                   .with({options_.topic})) {
    if (journal_.has_cursor(options_.reader)) return;
    const auto kept = journal_.commit(options_.reader, journal_.next_sequence());
    if (!kept) log::warn("the place of a Kafka topic is not kept", {{"error", kept.error().message}});
}

void KafkaOut::send(SteadyTime steady, const std::function<bool()>& stopping) {
    std::uint64_t next = journal_.cursor(options_.reader);
    waiting_.set(static_cast<double>(journal_.next_sequence() - std::min(next, journal_.next_sequence())));
    if (steady < not_before_) return;
    while (!stopping()) {
        const auto records = journal_.read(next, kAtOnce);
        if (!records) return log::warn("records for Kafka can't be read", {{"error", records.error().message}});
        if (records->empty()) break;
        if (records->front().sequence > next) lost_.add(static_cast<double>(records->front().sequence - next));
        std::vector<KafkaMessage> messages;
        for (const auto& record : *records) options_.messages(record, messages);
        if (!messages.empty() && !deliver(std::move(messages), steady, stopping)) return;
        next = records->back().sequence + 1;
        const auto kept = journal_.commit(options_.reader, next);
        if (!kept) return log::warn("the place of a Kafka topic is not kept", {{"error", kept.error().message}});
    }
    waiting_.set(static_cast<double>(journal_.next_sequence() - std::min(next, journal_.next_sequence())));
}

bool KafkaOut::deliver(std::vector<KafkaMessage> messages, SteadyTime steady, const std::function<bool()>& stopping) {
    std::string error;
    const auto results = producer_->send(messages, options_.timeout, stopping, error);
    const auto sent = std::count(results.begin(), results.end(), Delivered::Yes);
    const auto never = std::count(results.begin(), results.end(), Delivered::Never);
    if (sent + never == static_cast<std::ptrdiff_t>(messages.size())) {
        pause_ = Duration{0};
        sent_.add(static_cast<double>(sent));
        refused_.add(static_cast<double>(never));
        if (never > 0) log::error("messages too large for Kafka", {{"topic", options_.topic}, {"messages", never}});
        return true;
    }
    if (stopping()) return false;
    failures_.add();
    if (pause_ == Duration{0}) log::warn("records for Kafka wait", {{"topic", options_.topic}, {"error", error}});
    pause_ = std::clamp(pause_ * 2, kFirstPause, kLongestPause);
    not_before_ = std::max(steady, std::chrono::steady_clock::now()) + pause_;
    return false;
}

}  // namespace stoker::outward
