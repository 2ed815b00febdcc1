#include "wire/json_metrics.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"
#include "base/time.h"

namespace stoker::wire {
namespace {

using simdjson::dom::element;
using Object = simdjson::dom::object;
using Array = simdjson::dom::array;
using Pairs = std::vector<std::pair<std::string, std::string>>;

template <std::size_t N>
bool is_one_of(std::string_view key, const std::array<std::string_view, N>& names) {
    return std::find(names.begin(), names.end(), key) != names.end();
}

constexpr std::array<std::string_view, 4> kTimeKeys{"timestamp", "time", "ts", "@timestamp"};
constexpr std::array<std::string_view, 2> kLabelKeys{"labels", "tags"};
constexpr std::array<std::string_view, 3> kHostNames{"hostname", "name", "host"};

// Strings under these keys say what a thing is called; all other strings are prose.
constexpr std::array<std::string_view, 32> kIdentifying{
    "host",    "hostname", "server",   "server_id", "instance",   "job",       "service",    "node",
    "region",  "zone",     "cluster",  "env",       "rack",       "model",     "model_name", "pool",
    "replica", "engine",   "tenant",   "device",    "name",       "id",        "uuid",       "gpu",
    "gpu_id",  "gpu_uuid", "gpu_name", "mount",     "mountpoint", "interface", "fstype",     "container"};
// Numbers under these keys, in an element of a list, say which one it is.
constexpr std::array<std::string_view, 9> kNumbering{"index", "id",        "gpu", "gpu_id", "gpu_index",
                                                     "rank",  "device_id", "cpu", "core"};

// A key that can be part of a metric's name; "/mnt", "0" and "10.0.0.1" are values.
bool is_name(std::string_view key) {
    if (key.empty() || (key.front() >= '0' && key.front() <= '9')) return false;
    return std::all_of(key.begin(), key.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
               c == '.' || c == ' ';
    });
}

std::string as_name(std::string_view key) {
    std::string out;
    for (const char c : key) {
        const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
        out += fine ? c : '_';
    }
    if (!out.empty() && out.front() >= '0' && out.front() <= '9') out.insert(0, 1, '_');
    return out;
}

// What one of a list called "gpus" is.
std::string singular(std::string_view name) {
    if (name.size() > 2 && name.ends_with('s') && !name.ends_with("ss")) name.remove_suffix(1);
    return name.empty() ? "index" : as_name(name);
}

std::string joined(const std::string& prefix, std::string_view key) {
    return prefix.empty() ? as_name(key) : prefix + "_" + as_name(key);
}

// The last of the keys that led here: "disk" of "system_disk".
struct Place {
    std::string prefix;
    std::string key;
    bool in_list = false;
};

std::optional<std::int64_t> time_of_number(double number) {
    // Seconds until the year 5138, milliseconds from 1973 on, and so forth: no two can be mixed up.
    const double size = std::abs(number);
    const double factor = size < 1e11 ? 1e3 : size < 1e14 ? 1 : size < 1e17 ? 1e-3 : 1e-6;
    if (!(size < 9e18)) return std::nullopt;
    return std::llround(std::floor(number * factor));
}

std::optional<std::int64_t> time_of_text(std::string_view text) {
    constexpr std::size_t kLongest = 64;
    if (text.empty() || text.size() > kLongest) return std::nullopt;
    if (const auto number = parse_number(text)) return time_of_number(*number);
    std::string iso(text);
    if (iso.size() > 10 && iso[10] == ' ') iso[10] = 'T';
    // Python's isoformat() of a naive time has no zone: agents mean UTC.
    const std::size_t clock = iso.find('T');
    const bool zoned = clock != std::string::npos && iso.find_first_of("Zz+-", clock) != std::string::npos;
    if (clock == std::string::npos) iso += "T00:00:00";
    if (!zoned) iso += 'Z';
    const auto time = parse_timestamp(iso);
    if (!time) return std::nullopt;
    return to_millis(*time);
}

class ItemReader {
public:
    ItemReader(const JsonMetricsLimits& limits, JsonItem& item) : limits_(limits), item_(item) {}

    // Empty, or what is wrong.
    std::string read(element root) {
        Object object;
        if (root.get(object) != simdjson::SUCCESS) return "an item must be an object";
        for (const auto field : object) head(field.key, field.value);
        for (const auto field : object) {
            if (is_one_of(field.key, kTimeKeys) || is_one_of(field.key, kLabelKeys)) continue;
            // {"timestamp": ..., "metrics": {...}}: the wrapper is not part of the names.
            const bool wrapper = field.key == "metrics" && field.value.is_object();
            if (wrapper) {
                walk(field.value, {}, labels_, 1);
            } else {
                member(field.key, field.value, {}, labels_, 1);
            }
        }
        if (error_.empty() && item_.samples.empty()) return "no numbers in it";
        return error_;
    }

private:
    // The members that concern the whole item.
    void head(std::string_view key, element value) {
        if (is_one_of(key, kTimeKeys)) return time(value);
        if (is_one_of(key, kLabelKeys)) {
            Object pairs;
            if (value.get(pairs) != simdjson::SUCCESS) return;
            for (const auto pair : pairs) {
                std::string text;
                if (scalar_text(pair.value, text)) labels_.emplace_back(as_name(pair.key), text);
            }
            return;
        }
        Object host;
        if (key == "host" && value.get(host) == simdjson::SUCCESS) {
            for (const auto field : host) {
                std::string text;
                if (is_one_of(field.key, kHostNames) && scalar_text(field.value, text)) {
                    labels_.emplace_back("host", text);
                    break;
                }
            }
            return;
        }
        std::string text;
        if (is_one_of(key, kIdentifying) && value.is_string() && scalar_text(value, text)) {
            labels_.emplace_back(key == "hostname" ? "host" : as_name(key), text);
        }
    }

    void time(element value) {
        std::string_view text;
        double number = 0;
        if (value.get(number) == simdjson::SUCCESS) {
            item_.time_ms = time_of_number(number);
        } else if (value.get(text) == simdjson::SUCCESS) {
            item_.time_ms = time_of_text(text);
        }
        if (!item_.time_ms) error_ = "the timestamp is neither a number nor ISO 8601";
    }

    void member(std::string_view key, element value, const Place& place, const Pairs& labels, std::size_t depth) {
        if (!error_.empty()) return;
        const bool container = value.is_object() || value.is_array();
        if (key.size() > limits_.max_name_bytes) {
            error_ = "a key is longer than " + std::to_string(limits_.max_name_bytes) + " bytes";
            return;
        }
        if (container && !is_name(key)) {
            Pairs inner = labels;
            inner.emplace_back(singular(place.key), key);
            return walk(value, {place.prefix, place.key, true}, inner, depth + 1);
        }
        const Place here{joined(place.prefix, key), std::string(key)};
        if (here.prefix.size() > limits_.max_name_bytes) {
            error_ = "a name is longer than " + std::to_string(limits_.max_name_bytes) + " bytes";
            return;
        }
        walk(value, here, labels, depth + 1);
    }

    void walk(element value, const Place& place, const Pairs& labels, std::size_t depth) {
        if (!error_.empty()) return;
        if (depth > limits_.max_depth) {
            error_ = "nested more than " + std::to_string(limits_.max_depth) + " levels deep";
            return;
        }
        Object object;
        Array array;
        if (value.get(object) == simdjson::SUCCESS) return walk_object(object, place, labels, depth);
        if (value.get(array) == simdjson::SUCCESS) return walk_array(array, place, labels, depth);
        add(value, place, labels);
    }

    void walk_object(Object object, const Place& place, const Pairs& labels, std::size_t depth) {
        Pairs inner = labels;
        for (const auto field : object) {
            std::string text;
            if (identifies(field.key, field.value, place) && scalar_text(field.value, text)) {
                const bool plain = field.key == "index" || field.key == "id";
                inner.emplace_back(plain && place.in_list ? singular(place.key) : as_name(field.key), text);
            }
        }
        for (const auto field : object) {
            if (!identifies(field.key, field.value, place)) member(field.key, field.value, place, inner, depth);
        }
    }

    static bool identifies(std::string_view key, element value, const Place& place) {
        if (value.is_string()) return is_one_of(key, kIdentifying);
        return place.in_list && (value.is_int64() || value.is_uint64()) && is_one_of(key, kNumbering);
    }

    void walk_array(Array array, const Place& place, const Pairs& labels, std::size_t depth) {
        std::size_t at = 0;
        for (const element one : array) {
            Pairs inner = labels;
            Object object;
            const bool numbered = one.get(object) == simdjson::SUCCESS && says_which(object);
            if (!numbered) inner.emplace_back(one.is_object() ? singular(place.key) : "index", std::to_string(at));
            walk(one, {place.prefix, place.key, true}, inner, depth + 1);
            ++at;
        }
    }

    static bool says_which(Object object) {
        for (const auto field : object) {
            const bool number = field.value.is_int64() || field.value.is_uint64();
            if (number ? is_one_of(field.key, kNumbering)
                       : field.value.is_string() && is_one_of(field.key, kIdentifying)) {
                return true;
            }
        }
        return false;
    }

    bool scalar_text(element value, std::string& out) {
        std::string_view text;
        std::int64_t whole = 0;
        bool flag = false;
        if (value.get(text) == simdjson::SUCCESS) {
            out = text;
            if (out.size() > limits_.max_label_bytes) {
                error_ = "a label's value is longer than " + std::to_string(limits_.max_label_bytes) + " bytes";
            }
        } else if (value.get(whole) == simdjson::SUCCESS) {
            out = std::to_string(whole);
        } else if (value.get(flag) == simdjson::SUCCESS) {
            out = flag ? "true" : "false";
        } else {
            return false;
        }
        return true;
    }

    void add(element value, const Place& place, const Pairs& labels) {
        double number = 0;
        bool flag = false;
        if (value.get(flag) == simdjson::SUCCESS) {
            number = flag ? 1 : 0;
        } else if (value.get(number) != simdjson::SUCCESS) {
            return;
        }
        if (item_.samples.size() == limits_.max_samples) {
            error_ = "more than " + std::to_string(limits_.max_samples) + " numbers";
            return;
        }
        item_.samples.push_back({place.prefix, labels, number});
    }

    const JsonMetricsLimits& limits_;
    JsonItem& item_;
    Pairs labels_;
    std::string error_;
};

}  // namespace

Result<Unit> parse_json_metrics(std::string_view body, const JsonMetricsVisitor& visitor,
                                const JsonMetricsLimits& limits) {
    simdjson::dom::parser parser;
    element root;
    if (const auto error = parser.parse(body.data(), body.size()).get(root)) {
        return Error{Errc::InvalidArgument, "not JSON: " + std::string(simdjson::error_message(error))};
    }
    const auto read = [&](std::size_t index, element one) {
        JsonItem item;
        item.index = index;
        const std::string error = ItemReader(limits, item).read(one);
        if (error.empty()) {
            visitor.on_item(std::move(item));
        } else {
            visitor.on_error(index, error);
        }
    };
    Array batch;
    if (root.get(batch) != simdjson::SUCCESS) {
        if (!root.is_object()) return Error{Errc::InvalidArgument, "neither a list of items nor an item"};
        read(0, root);
        return Unit{};
    }
    std::size_t index = 0;
    for (const element one : batch) {
        if (index == limits.max_items) {
            return Error{Errc::ResourceExhausted, "more than " + std::to_string(limits.max_items) + " items"};
        }
        read(index++, one);
    }
    return Unit{};
}

}  // namespace stoker::wire
