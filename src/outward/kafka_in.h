// Samples from a topic into the store: each message is taken as if it had been pushed, and its offset is committed once
// the store has it. While the store takes nothing, the message waits; one that is no such message is counted and
// passed.
//
// poll() is for one thread and blocks.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/metrics.h"
#include "base/time.h"
#include "collect/push/push.h"
#include "net/http.h"
#include "outward/kafka_client.h"

namespace stoker::outward {

// The shape of a topic's messages: which push endpoint reads them, and as what.
struct KafkaFormat {
    std::string path;
    std::string content_type;
    std::string content_encoding;
};
// remote_write, remote_write_2, otlp, otlp_json, json. Its path is empty for any other name.
KafkaFormat kafka_format(const std::string& name);

class KafkaIn {
public:
    using Receive = std::function<net::Response(const collect::PushRequest&)>;

    // REQUIRES: the registry outlives it.
    KafkaIn(std::string topic, KafkaFormat format, Receive receive, std::unique_ptr<KafkaConsumer> consumer,
            metrics::Registry& registry);

    // Takes what is there, for as long as messages come; waits for the first at most `wait`.
    void poll(Duration wait, const std::function<bool()>& stopping);

private:
    bool take(std::string_view value);
    void complain(const std::string& error);

    const std::string topic_;
    const KafkaFormat format_;
    const Receive receive_;
    const std::unique_ptr<KafkaConsumer> consumer_;
    metrics::Counter& taken_;
    metrics::Counter& bad_;
    metrics::Counter& again_;
    metrics::Counter& errors_;
    std::string last_error_;
    SteadyTime not_before_{};  // After a message that the store did not take.
};

}  // namespace stoker::outward
