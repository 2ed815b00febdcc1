// Messages to and from Kafka, blocking: for threads of their own, never for event loops.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace stoker::outward {

struct KafkaOptions {
    std::vector<std::string> brokers;               // HOST:PORT
    std::map<std::string, std::string> properties;  // librdkafka's own settings (CONFIGURATION.md there).
};

struct KafkaMessage {
    std::string key;
    std::string value;
};

enum class Delivered : std::uint8_t {
    Yes,
    No,     // For now: send it again.
    Never,  // It will never be taken: too large.
};

// Idempotent: within one session of the producer no message is there twice or out of order, whatever the network does.
// Not thread-safe.
class KafkaProducer {
public:
    // Errors: NotFound (no librdkafka), InvalidArgument (a setting). No broker need be there.
    static Result<std::unique_ptr<KafkaProducer>> create(const KafkaOptions& options, const std::string& topic);
    virtual ~KafkaProducer() = default;

    // Blocks until the brokers have answered for all messages, at most `limit` (a second or so longer), or until
    // `stopping` says so; what is not answered for by then is withdrawn and not Delivered. `error` gets a reason.
    virtual std::vector<Delivered> send(std::span<const KafkaMessage> messages, Duration limit,
                                        const std::function<bool()>& stopping, std::string& error) = 0;
};

// A member of a consumer group. Not thread-safe.
class KafkaConsumer {
public:
    // Errors: as KafkaProducer's.
    static Result<std::unique_ptr<KafkaConsumer>> create(const KafkaOptions& options, const std::string& topic,
                                                         const std::string& group);
    virtual ~KafkaConsumer() = default;

    struct Taken {
        bool message = false;  // One came, and was taken.
        std::string error{};   // Of the connection, the group, or the commit.
    };
    // Waits up to `limit` for a message and hands it to `take`; when that returns true, its offset is committed. False
    // keeps the place: the next call hands over the same message again.
    virtual Taken poll(Duration limit, const std::function<bool(std::string_view value)>& take) = 0;
};

}  // namespace stoker::outward
