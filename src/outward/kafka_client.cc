#include "outward/kafka_client.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "outward/kafka_library.h"

namespace stoker::outward {
namespace {

using kafka::Library;

constexpr int kPollMs = 100;
constexpr int kCloseMs = 500;

void log_line(const kafka::Handle*, int level, const char* facility, const char* text) {
    // Syslog's levels. What brokers do while they are away is said by those who wait for them, not line by line.
    constexpr int kError = 3;
    if (level < kError) {
        log::error("librdkafka", {{"facility", facility}, {"says", text}});
    } else {
        log::debug("librdkafka", {{"facility", facility}, {"says", text}});
    }
}

using Settings = std::vector<std::pair<std::string, std::string>>;

// Errors: InvalidArgument. The caller's until a handle is made of it.
Result<kafka::Conf*> make_conf(const Library& lib, const Settings& settings) {
    kafka::Conf* conf = lib.conf_new();
    for (const auto& [name, value] : settings) {
        std::array<char, 512> why{};
        if (lib.conf_set(conf, name.c_str(), value.c_str(), why.data(), why.size()) == kafka::kConfOk) continue;
        lib.conf_destroy(conf);
        return Error{Errc::InvalidArgument, "Kafka's setting " + name + ": " + why.data()};
    }
    lib.conf_set_log_cb(conf, &log_line);
    return conf;
}

// Ours first, so that an operator's properties win.
Settings settings_of(const KafkaOptions& options, Settings first) {
    if (!options.brokers.empty()) first.emplace_back("bootstrap.servers", join(options.brokers, ","));
    first.emplace_back("client.id", "stoker");
    for (const auto& [name, value] : options.properties) first.emplace_back(name, value);
    return first;
}

Result<kafka::Handle*> make_handle(const Library& lib, int type, const Settings& settings,
                                   kafka::DeliveryFn delivered) {
    TRY(kafka::Conf* const conf, make_conf(lib, settings));
    if (delivered != nullptr) lib.conf_set_dr_msg_cb(conf, delivered);
    std::array<char, 512> why{};
    kafka::Handle* handle = lib.make(type, conf, why.data(), why.size());
    if (handle != nullptr) return handle;
    lib.conf_destroy(conf);
    return Error{Errc::InvalidArgument, std::string("Kafka: ") + why.data()};
}

// One message that the brokers have not answered for yet.
struct Pending {
    bool answered = false;
    int err = 0;
};

void on_delivery(kafka::Handle*, const kafka::Message* message, void*) {
    auto* pending = static_cast<Pending*>(message->opaque);
    pending->answered = true;
    pending->err = message->err;
}

class Producer final : public KafkaProducer {
public:
    Producer(const Library& lib, kafka::Handle* handle, kafka::Topic* topic)
        : lib_(lib), handle_(handle), topic_(topic) {}
    ~Producer() override {
        lib_.purge(handle_, kafka::kPurgeAll);
        lib_.flush(handle_, kCloseMs);
        lib_.topic_destroy(topic_);
        lib_.destroy(handle_);
    }

    std::vector<Delivered> send(std::span<const KafkaMessage> messages, Duration limit,
                                const std::function<bool()>& stopping, std::string& error) override {
        const auto deadline = std::chrono::steady_clock::now() + limit;
        const auto over = [&] { return stopping() || std::chrono::steady_clock::now() >= deadline; };
        std::vector<Pending> pending(messages.size());
        for (std::size_t i = 0; i < messages.size(); ++i) enqueue(messages[i], pending[i], over);
        while (!over() && lib_.flush(handle_, kPollMs) != 0) {
        }
        // Withdrawn, so that nobody answers into `pending` when it is gone.
        const bool all = std::all_of(pending.begin(), pending.end(), [](const Pending& one) { return one.answered; });
        if (!all) {
            lib_.purge(handle_, kafka::kPurgeAll);
            while (lib_.flush(handle_, kPollMs) != 0) {
            }
        }
        std::vector<Delivered> result;
        for (const Pending& one : pending) {
            if (one.err != 0 && error.empty()) error = lib_.err2str(one.err);
            result.push_back(one.answered && one.err == 0         ? Delivered::Yes
                             : one.err == kafka::kMessageTooLarge ? Delivered::Never
                                                                  : Delivered::No);
        }
        return result;
    }

private:
    void enqueue(const KafkaMessage& message, Pending& pending, const std::function<bool()>& over) {
        while (true) {
            const char* key = message.key.empty() ? nullptr : message.key.data();
            const int failed =
                lib_.produce(topic_, kafka::kAnyPartition, kafka::kCopy, const_cast<char*>(message.value.data()),
                             message.value.size(), key, message.key.size(), &pending);
            if (failed == 0) return;
            const int why = lib_.last_error();
            if (why == kafka::kQueueFull && !over()) {
                lib_.poll(handle_, kPollMs);
                continue;
            }
            pending = {true, why};
            return;
        }
    }

    const Library& lib_;
    kafka::Handle* const handle_;
    kafka::Topic* const topic_;
};

class Consumer final : public KafkaConsumer {
public:
    Consumer(const Library& lib, kafka::Handle* handle) : lib_(lib), handle_(handle) {}
    ~Consumer() override {
        forget();
        lib_.consumer_close(handle_);
        lib_.destroy(handle_);
    }

    Taken poll(Duration limit, const std::function<bool(std::string_view)>& take) override {
        if (kept_ == nullptr) kept_ = lib_.consumer_poll(handle_, static_cast<int>(limit.count()));
        if (kept_ == nullptr) return {};
        Taken taken;
        if (kept_->err != 0) {
            if (kept_->err != kafka::kEndOfPartition) taken.error = lib_.err2str(kept_->err);
            forget();
            return taken;
        }
        if (!take({static_cast<const char*>(kept_->payload), kept_->len})) {
            // Stays a member of its group, though it waits.
            return taken;
        }
        taken.message = true;
        const int failed = lib_.commit_message(handle_, kept_, 0);
        if (failed != 0) taken.error = std::string("commit: ") + lib_.err2str(failed);
        forget();
        return taken;
    }

private:
    void forget() {
        if (kept_ != nullptr) lib_.message_destroy(std::exchange(kept_, nullptr));
    }

    const Library& lib_;
    kafka::Handle* const handle_;
    kafka::Message* kept_ = nullptr;  // Not taken yet.
};

}  // namespace

Result<std::unique_ptr<KafkaProducer>> KafkaProducer::create(const KafkaOptions& options, const std::string& topic) {
    TRY(const Library* const lib, kafka::load());
    const Settings settings = settings_of(options, {{"enable.idempotence", "true"},
                                                    {"acks", "all"},
                                                    {"compression.codec", "lz4"},
                                                    {"linger.ms", "20"},
                                                    {"message.timeout.ms", "20000"},
                                                    {"message.max.bytes", "1000000"}});
    TRY(kafka::Handle* const handle, make_handle(*lib, kafka::kProducer, settings, &on_delivery));
    kafka::Topic* const made = lib->topic_new(handle, topic.c_str(), nullptr);
    if (made == nullptr) {
        const std::string why = lib->err2str(lib->last_error());
        lib->destroy(handle);
        return Error{Errc::InvalidArgument, "Kafka's topic " + topic + ": " + why};
    }
    return std::unique_ptr<KafkaProducer>(std::make_unique<Producer>(*lib, handle, made));
}

Result<std::unique_ptr<KafkaConsumer>> KafkaConsumer::create(const KafkaOptions& options, const std::string& topic,
                                                             const std::string& group) {
    TRY(const Library* const lib, kafka::load());
    // Offsets are committed by hand, once what they stand for is durable.
    const Settings settings = settings_of(options, {{"group.id", group},
                                                    {"enable.auto.commit", "false"},
                                                    {"auto.offset.reset", "earliest"},
                                                    {"max.poll.interval.ms", "86400000"},
                                                    {"fetch.message.max.bytes", "16777216"}});
    TRY(kafka::Handle* const handle, make_handle(*lib, kafka::kConsumer, settings, nullptr));
    std::unique_ptr<KafkaConsumer> consumer = std::make_unique<Consumer>(*lib, handle);
    lib->poll_set_consumer(handle);
    kafka::PartitionList* const topics = lib->list_new(1);
    lib->list_add(topics, topic.c_str(), kafka::kAnyPartition);
    const int failed = lib->subscribe(handle, topics);
    lib->list_destroy(topics);
    if (failed != 0) {
        return Error{Errc::InvalidArgument, "Kafka's topic " + topic + ": " + lib->err2str(failed)};
    }
    return consumer;
}

}  // namespace stoker::outward
