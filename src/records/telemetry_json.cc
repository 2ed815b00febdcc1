// Writing and reading batches of spans and log lines. Empty fields are left out: most rows have few.
#include <fmt/format.h>

#include <iterator>
#include <variant>

#include "base/text.h"
#include "records/json_reader.h"
#include "records/telemetry.h"

namespace stoker::records {
namespace {

// A field that holds JSON, not text.
template <typename Text>
struct Json {
    Text* text;
};
template <typename Text>
Json(Text*) -> Json<Text>;
using Target = std::variant<std::monostate, std::string*, Json<std::string>, std::int64_t*, bool*, double*>;

// The fields of a row in the order in which they are written: names and places stand here alone.
template <typename Row, typename Visit>
void each_span_field(Row& row, const Visit& visit) {
    visit("trace_id", &row.trace_id);
    visit("span_id", &row.span_id);
    visit("parent_span_id", &row.parent_span_id);
    visit("name", &row.name);
    visit("kind", &row.kind);
    visit("service", &row.service);
    visit("scope", &row.scope);
    visit("format", &row.format);
    visit("start_ns", &row.start_ns);
    visit("duration_ns", &row.duration_ns);
    visit("error", &row.error);
    visit("status_message", &row.status_message);
    visit("attributes", Json{&row.attributes});
    visit("resource", Json{&row.resource});
    visit("events", Json{&row.events});
    visit("links", Json{&row.links});
    visit("operation", &row.operation);
    visit("provider", &row.provider);
    visit("model", &row.model);
    visit("input_tokens", &row.input_tokens);
    visit("output_tokens", &row.output_tokens);
    visit("weight", &row.weight);
    visit("decided", &row.decided);
}

template <typename Row, typename Visit>
void each_log_field(Row& row, const Visit& visit) {
    visit("time_ns", &row.time_ns);
    visit("observed_ns", &row.observed_ns);
    visit("severity", &row.severity);
    visit("severity_text", &row.severity_text);
    visit("body", &row.body);
    visit("trace_id", &row.trace_id);
    visit("span_id", &row.span_id);
    visit("service", &row.service);
    visit("attributes", Json{&row.attributes});
    visit("resource", Json{&row.resource});
    visit("source", &row.source);
    visit("stream", &row.stream);
    visit("signature", &row.signature);
}

class RowWriter {
public:
    explicit RowWriter(std::string& out) : out_(out) { out_ += '{'; }
    ~RowWriter() { out_ += '}'; }
    RowWriter(const RowWriter&) = delete;
    RowWriter& operator=(const RowWriter&) = delete;

    void operator()(std::string_view name, const std::string* text) const {
        if (text->empty()) return;
        key(name);
        out_ += quote_json(*text);
    }
    void operator()(std::string_view name, Json<const std::string> json) const {
        if (json.text->empty()) return;
        key(name);
        out_ += *json.text;
    }
    void operator()(std::string_view name, const std::int64_t* number) const {
        if (*number == (name.ends_with("_tokens") ? kUnknownTokens : 0)) return;
        key(name);
        fmt::format_to(std::back_inserter(out_), "{}", *number);
    }
    void operator()(std::string_view name, const bool* flag) const {
        if (!*flag) return;
        key(name);
        out_ += "true";
    }
    void operator()(std::string_view name, const double* number) const {
        if (*number == 1) return;
        key(name);
        out_ += fmt::format("{}", *number);
    }

private:
    void key(std::string_view name) const {
        if (out_.back() != '{') out_ += ',';
        out_ += '"';
        out_ += name;
        out_ += "\":";
    }

    std::string& out_;
};

// The place of the field with this name; nothing if there is none.
template <typename Each>
Target target_of(std::string_view name, const Each& each) {
    Target found;
    each([&](std::string_view field, auto place) {
        if (field == name) found = place;
    });
    return found;
}

bool read_number(JsonReader& json, double& out) {
    std::string_view text;
    if (!json.raw(text)) return false;
    const auto number = parse_number(text);
    if (!number || !(*number >= 0)) return json.fail("a number was expected");
    out = *number;
    return true;
}

bool read_into(JsonReader& json, const Target& target) {
    if (std::holds_alternative<std::monostate>(target)) return json.skip();
    if (json.null()) return true;
    if (auto* text = std::get_if<std::string*>(&target)) return json.string(**text);
    if (auto* number = std::get_if<std::int64_t*>(&target)) return json.integer(**number);
    if (auto* flag = std::get_if<bool*>(&target)) return json.boolean(**flag);
    if (auto* real = std::get_if<double*>(&target)) return read_number(json, **real);
    std::string_view raw;
    if (!json.raw(raw)) return false;
    *std::get<Json<std::string>>(target).text = raw;
    return true;
}

Error corruption(const JsonReader& json) {
    return {Errc::Corruption, "telemetry batch: " + json.problem()};
}

std::string begin(std::string_view name, std::size_t rows, std::size_t bytes_each) {
    std::string out = fmt::format(R"({{"v":1,"{}":[)", name);
    out.reserve(out.size() + rows * bytes_each);
    return out;
}

}  // namespace

std::string to_json(std::span<const SpanRow> spans, std::string_view marker) {
    std::string out = begin("spans", spans.size(), 768);
    for (const SpanRow& span : spans) {
        if (out.back() != '[') out += ',';
        const RowWriter writer(out);
        each_span_field(span, writer);
    }
    out += ']';
    if (!marker.empty()) out += R"(,"marker":)" + quote_json(marker);
    return out + "}";
}

std::string to_json(std::span<const LogRow> logs) {
    std::string out = begin("logs", logs.size(), 512);
    for (const LogRow& log : logs) {
        if (out.back() != '[') out += ',';
        const RowWriter writer(out);
        each_log_field(log, writer);
    }
    return out + "]}";
}

Result<SpanBatch> span_batch_from_json(std::string_view text) {
    JsonReader json(text);
    SpanBatch batch;
    const auto span = [&] {
        SpanRow& row = batch.spans.emplace_back();
        return json.object([&](std::string_view name) {
            return read_into(json, target_of(name, [&](const auto& visit) { each_span_field(row, visit); }));
        });
    };
    const bool read = json.object([&](std::string_view name) {
        if (name == "spans") return json.array(span);
        if (name == "marker") return json.string(batch.marker);
        return json.skip();
    });
    if (!read || !json.at_end()) return corruption(json);
    return batch;
}

Result<std::vector<LogRow>> logs_from_json(std::string_view text) {
    JsonReader json(text);
    std::vector<LogRow> logs;
    const auto log = [&] {
        LogRow& row = logs.emplace_back();
        return json.object([&](std::string_view name) {
            return read_into(json, target_of(name, [&](const auto& visit) { each_log_field(row, visit); }));
        });
    };
    const bool read =
        json.object([&](std::string_view name) { return name == "logs" ? json.array(log) : json.skip(); });
    if (!read || !json.at_end()) return corruption(json);
    return logs;
}

}  // namespace stoker::records
