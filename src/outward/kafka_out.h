// Sends the records of a journal to a topic, in order, from a place that outlives restarts: a record counts as sent
// once the brokers have answered for it. While they are away records wait in the journal, at most as long as it keeps
// them. After a crash the last batch may come twice.
//
// send() is for one thread and blocks while brokers are asked.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/time.h"
#include "journal/journal.h"
#include "outward/kafka_client.h"

namespace stoker::outward {

struct KafkaOutOptions {
    std::string topic;
    std::string reader;  // Its place in the journal. One that was never there begins with what comes from now on.
    // Adds the messages for a record, if there are any.
    std::function<void(const journal::Record&, std::vector<KafkaMessage>&)> messages;
    Duration timeout{30'000};  // For one batch to be answered for.
};

// stoker_kafka_out_messages_total of a topic: sent, refused, lost.
metrics::Counter& kafka_out_counter(metrics::Registry& registry, const std::string& topic, const char* result);

class KafkaOut {
public:
    // REQUIRES: journal and registry outlive it.
    KafkaOut(KafkaOutOptions options, journal::Journal& journal, std::unique_ptr<KafkaProducer> producer,
             metrics::Registry& registry);

    // Sends what waits, unless a pause is kept. Ends early once `stopping` says so.
    void send(SteadyTime steady, const std::function<bool()>& stopping);

private:
    // False: not all were answered for.
    bool deliver(std::vector<KafkaMessage> messages, SteadyTime steady, const std::function<bool()>& stopping);

    const KafkaOutOptions options_;
    journal::Journal& journal_;
    const std::unique_ptr<KafkaProducer> producer_;
    metrics::Counter& sent_;
    metrics::Counter& refused_;
    metrics::Counter& lost_;
    metrics::Counter& failures_;
    metrics::Gauge& waiting_;
    SteadyTime not_before_{};
    Duration pause_{0};
};

}  // namespace stoker::outward
