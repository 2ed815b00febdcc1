// Batches of JSON documents as home-grown agents send them: [{"timestamp": ..., "host": ..., "cpu": {...}}, ...].
//
// No schema: numbers become samples, named by the keys that lead to them, joined with "_". What the document tells
// besides decides the labels:
//   "host": "a" or {"hostname": "a"}     a label of everything in the item; so are "labels" and "tags" objects
//   {"device": "sda", "used": 5}         strings with an identifying key are labels of what stands beside them
//   "gpus": [{"index": 0, "temp": 60}]   gpus_temp{gpu="0"}; without an identifying number, by place in the list
//   "disk": {"/mnt": {"used": 5}}        keys that are no names are labels: disk_used{disk="/mnt"}
//   "load_avg": [1, 2, 3]                load_avg{index="0"}...
// true and false are 1 and 0; other strings and null are passed over. Stateless and thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace stoker::wire {

struct JsonMetricsLimits {
    std::size_t max_items = 10'000;
    std::size_t max_samples = 10'000;  // Of one item.
    std::size_t max_depth = 16;
    std::size_t max_name_bytes = 512;
    std::size_t max_label_bytes = 4096;  // Of one value.
};

struct JsonSample {
    std::string name;
    std::vector<std::pair<std::string, std::string>> labels;  // Later ones win over earlier ones of the same name.
    double value = 0;
};

struct JsonItem {
    std::size_t index = 0;                // In the batch.
    std::optional<std::int64_t> time_ms;  // "timestamp", "time" or "ts": seconds, ms, us or ns, or ISO 8601.
    std::vector<JsonSample> samples;
};

struct JsonMetricsVisitor {
    std::function<void(JsonItem&&)> on_item;  // Both must be set.
    std::function<void(std::size_t index, const std::string& error)> on_error;
};

// Walks a list of items, or a single one. An item that is not right is reported whole and the walk goes on.
// Errors: InvalidArgument (not JSON, or neither object nor list), ResourceExhausted (too many items).
Result<Unit> parse_json_metrics(std::string_view body, const JsonMetricsVisitor& visitor,
                                const JsonMetricsLimits& limits = {});

}  // namespace stoker::wire
