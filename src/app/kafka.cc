#include "app/kafka.h"

#include "base/file.h"
#include "outward/kafka_messages.h"
#include "outward/reader_name.h"

namespace stoker::app {
namespace {

constexpr Duration kOut{250};      // How late a record may go out.
constexpr Duration kIn{10};        // Between two waits for messages,
constexpr Duration kInWait{200};   // each so long.
constexpr Duration kBackoff{500};  // After a message that the store did not take.
constexpr const char* kReader = "kafka";

}  // namespace

Kafka::~Kafka() {
    stop();
}

Result<std::unique_ptr<Kafka>> Kafka::open(const Config& config, const DataFolder& folder, journal::Journal& requests,
                                           outward::EventLog& events, metrics::Registry& registry) {
    std::unique_ptr<Kafka> kafka(new Kafka(registry));
    const outward::KafkaOptions options = kafka_options(config.kafka);
    for (const KafkaOutConfig& topic : config.kafka.out) {
        const std::string where = "kafka.out " + topic.topic;
        auto producer = outward::KafkaProducer::create(options, topic.topic);
        if (!producer) return std::move(producer).error().context(where);
        outward::KafkaOutOptions out;
        out.topic = topic.topic;
        out.reader = outward::reader_name("kafka", topic.topic);
        journal::Journal* journal = &requests;
        if (topic.what == "requests") {
            out.messages = outward::request_messages(topic.key.empty() ? "id" : topic.key);
        } else if (topic.what == "events") {
            journal = &events.journal();
            out.messages = outward::event_messages(topic.key.empty() ? "subject" : topic.key, journal->identity());
        } else {
            SampleTopic made;
            made.lost = &outward::kafka_out_counter(registry, topic.topic, "lost");
            const std::string directory = folder.at("kafka/" + topic.topic);
            TRY_UNIT(ensure_directory(directory));
            auto queue = outward::SampleQueue::open(directory, topic.queue_size.count, *made.lost);
            if (!queue) return std::move(queue).error().context(where);
            made.queue = *std::move(queue);
            journal = &made.queue->journal();
            out.reader = kReader;
            out.messages = outward::sample_messages();
            kafka->samples_.push_back(std::move(made));
        }
        kafka->out_.push_back(
            std::make_unique<outward::KafkaOut>(std::move(out), *journal, *std::move(producer), registry));
    }
    return kafka;
}

std::vector<outward::SampleQueue*> Kafka::queues() {
    std::vector<outward::SampleQueue*> all;
    for (auto& topic : samples_) all.push_back(topic.queue.get());
    return all;
}

Result<Unit> Kafka::start(const Config& config, const std::vector<api::PushEndpoint>& pushes) {
    const auto stopping = [this] { return stopping_.load(); };
    for (std::size_t i = 0; i < out_.size(); ++i) {
        const auto send = [out = out_[i].get(), stopping] { out->send(std::chrono::steady_clock::now(), stopping); };
        jobs_.push_back(std::make_unique<Job>("kafka_out_" + config.kafka.out[i].topic, kOut, send, registry_));
    }
    if (!samples_.empty()) {
        const auto sweep = [this] {
            for (auto& topic : samples_) {
                const auto lost = topic.queue->sweep(kReader, std::chrono::steady_clock::now());
                if (lost > 0) topic.lost->add(static_cast<double>(lost));
            }
        };
        jobs_.push_back(std::make_unique<Job>("sweep_kafka_queues", kBackoff, sweep, registry_));
    }
    for (const KafkaInConfig& topic : config.kafka.in) {
        // A group for each topic: members of one group that want different topics make it rebalance again and again.
        const std::string group = topic.group + "." + topic.topic;
        auto consumer = outward::KafkaConsumer::create(kafka_options(config.kafka), topic.topic, group);
        if (!consumer) return std::move(consumer).error().context("kafka.in " + topic.topic);
        const outward::KafkaFormat format = outward::kafka_format(topic.format);
        const api::PushEndpoint* push = api::find_push(pushes, format.path);
        if (push == nullptr) return Error{Errc::Internal, "nobody takes " + format.path};
        in_.push_back(
            std::make_unique<outward::KafkaIn>(topic.topic, format, push->receive, *std::move(consumer), registry_));
        const auto poll = [in = in_.back().get(), stopping] { in->poll(kInWait, stopping); };
        jobs_.push_back(std::make_unique<Job>("kafka_in_" + topic.topic, kIn, poll, registry_));
    }
    return Unit{};
}

void Kafka::stop() {
    if (stopping_.exchange(true)) return;
    for (auto& job : jobs_) job->stop();
    in_.clear();  // Leaves its groups.
}

}  // namespace stoker::app
