// Kafka as the configuration has it: topics that requests, events and samples are written to, and those whose samples
// are taken. Each has a thread of its own.
//
// open(), then start() once what is read and written is there, stop() before it goes.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "api/push.h"
#include "app/config.h"
#include "app/data_folder.h"
#include "app/job.h"
#include "base/metrics.h"
#include "journal/journal.h"
#include "outward/event_log.h"
#include "outward/kafka_in.h"
#include "outward/kafka_out.h"
#include "outward/sample_queue.h"

namespace stoker::app {

class Kafka {
public:
    // Errors name the topic: no librdkafka, a setting, a queue that can't be opened. No broker need be there. REQUIRES:
    // all outlive it.
    static Result<std::unique_ptr<Kafka>> open(const Config& config, const DataFolder& folder,
                                               journal::Journal& requests, outward::EventLog& events,
                                               metrics::Registry& registry);
    ~Kafka();  // stop()

    // Of the topics that samples go to.
    std::vector<outward::SampleQueue*> queues();

    // `pushes` take what topics bring.
    Result<Unit> start(const Config& config, const std::vector<api::PushEndpoint>& pushes);
    void stop();

private:
    explicit Kafka(metrics::Registry& registry) : registry_(registry) {}

    struct SampleTopic {
        std::unique_ptr<outward::SampleQueue> queue;
        metrics::Counter* lost = nullptr;
    };

    metrics::Registry& registry_;
    std::vector<SampleTopic> samples_;
    std::vector<std::unique_ptr<outward::KafkaOut>> out_;
    std::vector<std::unique_ptr<outward::KafkaIn>> in_;
    std::vector<std::unique_ptr<Job>> jobs_;
    std::atomic<bool> stopping_{false};
};

}  // namespace stoker::app
