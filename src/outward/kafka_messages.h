// What records of the journals become as Kafka's messages. Pure, thread-safe.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "journal/journal.h"
#include "outward/kafka_client.h"

namespace stoker::outward {

using MessagesFn = std::function<void(const journal::Record&, std::vector<KafkaMessage>&)>;

// Requests as JSON (docs/format/records.md), under the member `key` of theirs.
MessagesFn request_messages(std::string key);
// Events as JSON (docs/events.md), under the member `key` of theirs; of the journal of that identity.
MessagesFn event_messages(std::string key, std::string identity);
// Samples as remote write 1.0, snappy-compressed, in parts that brokers take, under "JOB/INSTANCE" of the first series.
MessagesFn sample_messages();

// The text of a member of a JSON object; empty if there is none.
std::string json_key(std::string_view json, const std::string& member);

}  // namespace stoker::outward
