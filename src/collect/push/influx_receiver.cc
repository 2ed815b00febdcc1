#include "collect/push/influx_receiver.h"

#include <algorithm>

#include "base/text.h"

namespace stoker::collect {
namespace {

constexpr std::size_t kMostReasons = 10;

std::string escaped(std::string_view name, bool metric) {
    std::string out;
    for (const char c : name) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (metric && c == ':');
        const bool digit = c >= '0' && c <= '9';
        const bool continues = (static_cast<unsigned char>(c) & 0xc0) == 0x80;
        if (out.empty() && digit) out += '_';
        if (!continues) out += letter || digit ? c : '_';
    }
    return out;
}

net::Response failed(bool v2, int status, std::string_view code, const std::string& message) {
    return json_response(status, v2 ? R"({"code":")" + std::string(code) + R"(","message":)" + quote_json(message) + "}"
                                    : R"({"error":)" + quote_json(message) + "}");
}

std::string_view code_of(int status) {
    return status == 413   ? "request too large"
           : status == 503 ? "unavailable"
           : status == 400 ? "invalid"
                           : "internal error";
}

}  // namespace

// One request on its way to the store.
class InfluxReceiver::Batch {
public:
    Batch(const InfluxOptions& options, std::string database, Timestamp now)
        : options_(options),
          database_(std::move(database)),
          now_(to_millis(now)),
          budget_(options.labels.max_request_bytes) {}

    void add(const wire::InfluxPoint& point) {
        tsdb::Labels common(labels_of(point));
        if (auto fine = check_labels(common, options_.labels); !fine) {
            return refuse(point.line, fine.error().message);
        }
        for (const auto& field : point.fields) {
            if (!field.value) {
                ++strings;
                continue;
            }
            if (samples.size() == options_.max_samples || !budget_.take(common)) {
                return refuse(point.line, "the request holds more than can be taken at once");
            }
            const std::string name = std::string(point.measurement) + options_.separator + std::string(field.name);
            samples.push_back({common.with(tsdb::kMetricName, options_.escape_names ? escaped(name, true) : name),
                               {point.time_ms.value_or(now_), *field.value}});
            lines_.push_back(point.line);
        }
    }

    void refuse(std::size_t line, const std::string& why) {
        ++dropped;
        if (reasons.size() < kMostReasons) reasons.push_back("line " + std::to_string(line) + ": " + why);
    }

    void refuse(const tsdb::Refused& refused) {
        refuse(lines_.at(refused.index), explain(refused, samples[refused.index].labels));
    }

    std::vector<tsdb::SeriesSample> samples;
    std::vector<std::string> reasons;  // The first few.
    std::size_t dropped = 0;
    std::size_t strings = 0;

private:
    std::vector<tsdb::Labels::Pair> labels_of(const wire::InfluxPoint& point) const {
        std::vector<tsdb::Labels::Pair> labels;
        if (!database_.empty() && !options_.database_label.empty()) {
            labels.emplace_back(options_.database_label, database_);  // A tag of that name wins.
        }
        for (const auto& [name, value] : point.tags) {
            labels.emplace_back(options_.escape_names ? escaped(name, false) : std::string(name), value);
        }
        return labels;
    }

    const InfluxOptions& options_;
    const std::string database_;
    const std::int64_t now_;
    LabelBudget budget_;
    std::vector<std::size_t> lines_;  // Of the samples.
};

InfluxReceiver::InfluxReceiver(tsdb::Ingest& store, InfluxOptions options, metrics::Registry& registry)
    : store_(store),
      options_(std::move(options)),
      metrics_(registry, "influx"),
      strings_(registry
                   .counter("stoker_influx_strings_skipped_total",
                            "Fields of line protocol that are strings, which cannot be stored.")
                   .with()) {}

net::Response InfluxReceiver::ping() {
    return {204, {{"X-Influxdb-Version", "1.8.10"}, {"X-Influxdb-Build", "OSS"}}, {}};
}

net::Response InfluxReceiver::query(const std::vector<std::pair<std::string, std::string>>& params) {
    const auto statement = std::find_if(params.begin(), params.end(), [](const auto& one) { return one.first == "q"; });
    const std::string text(trim(statement == params.end() ? std::string_view() : statement->second));
    constexpr std::string_view kCreate = "create database";
    const bool create = equals_ignore_case(std::string_view(text).substr(0, kCreate.size()), kCreate);
    if (create) return json_response(200, R"({"results":[{"statement_id":0}]})");
    return json_response(400, R"({"error":"InfluxQL is not spoken here: ask /api/v1/query in PromQL"})");
}

net::Response InfluxReceiver::receive(const PushRequest& request) {
    return metrics_.answered(handle(request));
}

net::Response InfluxReceiver::handle(const PushRequest& request) {
    const bool v2 = request.path.find("/v2/") != std::string::npos;
    const auto refuse = [v2](const Error& error) {
        const int status = push_status(error);
        return failed(v2, status, code_of(status), error.message);
    };
    auto precision = wire::parse_influx_precision(param(request, "precision"));
    if (!precision) return refuse(precision.error());
    auto body = decoded_body(request, options_.max_body_bytes);
    if (!body) return refuse(body.error());

    const std::string_view database = param(request, "db");
    Batch batch(options_, std::string(database.empty() ? param(request, "bucket") : database), request.now);
    wire::InfluxVisitor visitor;
    visitor.on_point = [&batch](const wire::InfluxPoint& point) { batch.add(point); };
    visitor.on_error = [&batch](const wire::InfluxError& error) {
        batch.refuse(error.line, "unable to parse '" + std::string(error.text) + "': " + error.message);
    };
    wire::parse_influx(*body, *precision, visitor, options_.limits);

    auto outcome = store_.append(batch.samples);
    if (!outcome) {
        const int status = net::status_of(outcome.error().code);
        return failed(v2, status, code_of(status), outcome.error().message);
    }
    for (const tsdb::Refused& refused : outcome->refused) batch.refuse(refused);
    strings_.add(static_cast<double>(batch.strings));
    metrics_.samples(outcome->accepted + outcome->duplicates, batch.dropped);
    if (batch.dropped == 0) return {204, {}, {}};
    const std::string message =
        "partial write: " + join(batch.reasons, "; ") + " dropped=" + std::to_string(batch.dropped);
    return failed(v2, 400, "invalid", message);
}

}  // namespace stoker::collect
