// Field numbers: grafana/loki, pkg/push/push.proto.
#include <simdjson.h>

#include <protozero/pbf_reader.hpp>

#include "base/text.h"
#include "wire/loki.h"
#include "wire/prometheus_protobuf_fields.h"

namespace stoker::wire::loki {
namespace {

using protozero::pbf_reader;
using simdjson::dom::element;

constexpr std::int64_t kNanos = 1'000'000'000;

// Counts what the decoded request takes.
class Budget {
public:
    explicit Budget(const Limits& limits) : left_(limits.max_memory) {}

    template <typename T>
    T& add(std::vector<T>& list) {
        take(sizeof(T));
        return list.emplace_back();
    }
    void set(std::string& out, std::string_view text) {
        take(text.size());
        out.assign(text);
    }

private:
    void take(std::size_t bytes) {
        if (bytes > left_) throw PastLimit{"lines for the memory that a request may take"};
        left_ -= bytes;
    }

    std::size_t left_;
};

Labels labels_of(std::string_view text, Budget& budget) {
    auto parsed = parse_labels(text);
    if (!parsed) throw Malformed{"the labels of a stream are not {name=\"value\", ...}"};
    Labels out;
    for (auto& [name, value] : *parsed) {
        auto& pair = budget.add(out);
        budget.set(pair.first, name);
        budget.set(pair.second, value);
    }
    return out;
}

// Seconds and nanoseconds; what does not fit 64 bits is no time at all.
std::int64_t timestamp(pbf_reader message) {
    std::int64_t seconds = 0;
    std::int64_t nanos = 0;
    while (message.next()) {
        if (message.tag_and_type() == varint_field(1)) {
            seconds = message.get_int64();
        } else if (message.tag_and_type() == varint_field(2)) {
            nanos = message.get_int32();
        } else {
            message.skip();
        }
    }
    constexpr std::int64_t kMost = INT64_MAX / kNanos - 1;
    if (seconds < 0 || seconds > kMost || nanos < 0 || nanos >= kNanos) return 0;
    return seconds * kNanos + nanos;
}

void label(pbf_reader message, Labels& out, Budget& budget) {
    auto& pair = budget.add(out);
    while (message.next()) {
        if (message.tag_and_type() == bytes_field(1)) {
            budget.set(pair.first, text_of(message));
        } else if (message.tag_and_type() == bytes_field(2)) {
            budget.set(pair.second, text_of(message));
        } else {
            message.skip();
        }
    }
}

void line(pbf_reader message, Line& out, Budget& budget) {
    while (message.next()) {
        switch (message.tag_and_type()) {
            case bytes_field(1):
                out.time_ns = timestamp(message.get_message());
                break;
            case bytes_field(2):
                budget.set(out.text, text_of(message));
                break;
            case bytes_field(3):
                label(message.get_message(), out.metadata, budget);
                break;
            default:
                message.skip();
        }
    }
}

void stream(pbf_reader message, Stream& out, Budget& budget) {
    while (message.next()) {
        if (message.tag_and_type() == bytes_field(1)) {
            out.labels = labels_of(text_of(message), budget);
        } else if (message.tag_and_type() == bytes_field(2)) {
            line(message.get_message(), budget.add(out.lines), budget);
        } else {
            message.skip();
        }
    }
}

void json_labels(element value, Labels& out, Budget& budget, const char* what) {
    simdjson::dom::object object;
    if (value.get(object) != simdjson::SUCCESS) throw Malformed{what};
    for (const auto member : object) {
        std::string_view text;
        if (member.value.get(text) != simdjson::SUCCESS) throw Malformed{what};
        auto& pair = budget.add(out);
        budget.set(pair.first, member.key);
        budget.set(pair.second, text);
    }
}

// ["nanoseconds", "line"] or ["nanoseconds", "line", {structured metadata}].
void json_line(element value, Line& out, Budget& budget) {
    constexpr const char* kShape = "a value is not [\"nanoseconds\", \"line\"]";
    simdjson::dom::array list;
    if (value.get(list) != simdjson::SUCCESS) throw Malformed{kShape};
    std::size_t at = 0;
    for (const element part : list) {
        if (at == 2) {
            json_labels(part, out.metadata, budget, "structured metadata is not an object of texts");
        } else {
            std::string_view text;
            if (part.get(text) != simdjson::SUCCESS) throw Malformed{kShape};
            if (at == 0) {
                const auto nanos = parse_integer(text);
                if (!nanos || *nanos < 0) throw Malformed{"a time is not a number of nanoseconds"};
                out.time_ns = *nanos;
            } else {
                budget.set(out.text, text);
            }
        }
        if (++at > 3) throw Malformed{kShape};
    }
    if (at < 2) throw Malformed{kShape};
}

void json_stream(element value, Stream& out, Budget& budget) {
    simdjson::dom::object object;
    if (value.get(object) != simdjson::SUCCESS) throw Malformed{"a stream is not an object"};
    for (const auto member : object) {
        if (member.key == "stream") json_labels(member.value, out.labels, budget, "labels are not an object of texts");
        if (member.key == "values") {
            simdjson::dom::array list;
            if (member.value.get(list) != simdjson::SUCCESS) throw Malformed{"values is not a list"};
            for (const element one : list) json_line(one, budget.add(out.lines), budget);
        }
    }
}

}  // namespace

Result<std::vector<Stream>> parse_push_protobuf(std::string_view body, const Limits& limits) {
    std::vector<Stream> out;
    TRY_UNIT(guarded("Loki push", [&] {
        Budget budget(limits);
        pbf_reader message = reader_of(body);
        while (message.next()) {
            if (message.tag_and_type() == bytes_field(1)) {
                stream(message.get_message(), budget.add(out), budget);
            } else {
                message.skip();
            }
        }
    }));
    return out;
}

Result<std::vector<Stream>> parse_push_json(std::string_view body, const Limits& limits) {
    simdjson::dom::parser parser;
    element root;
    if (const auto error = parser.parse(body.data(), body.size()).get(root)) {
        return Error{Errc::InvalidArgument, "Loki push: not JSON: " + std::string(simdjson::error_message(error))};
    }
    std::vector<Stream> out;
    TRY_UNIT(guarded("Loki push", [&] {
        Budget budget(limits);
        simdjson::dom::array streams;
        if (root.at_key("streams").get(streams) != simdjson::SUCCESS) throw Malformed{"there is no list \"streams\""};
        for (const element one : streams) json_stream(one, budget.add(out), budget);
    }));
    return out;
}

}  // namespace stoker::wire::loki
