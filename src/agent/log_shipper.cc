#include "agent/log_shipper.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/http_post.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "wire/compression.h"

namespace stoker::agent {
namespace {

using nlohmann::json;

constexpr Duration kFirstPause{500};
constexpr Duration kLongestPause{30'000};
constexpr int kGzipLevel = 3;

json attribute(const std::string& key, const std::string& value) {
    return {{"key", key}, {"value", {{"stringValue", value}}}};
}

json attributes_of(const collect::LogEntry::Attributes& pairs) {
    json list = json::array();
    for (const auto& [key, value] : pairs) list.push_back(attribute(key, value));
    return list;
}

json record_of(const collect::LogEntry& entry) {
    json attributes = attributes_of(entry.attributes);
    for (const auto& [key, value] : entry.resource) attributes.push_back(attribute(key, value));
    json record = {{"timeUnixNano", std::to_string(entry.time_ns > 0 ? entry.time_ns : entry.observed_ns)},
                   {"observedTimeUnixNano", std::to_string(entry.observed_ns)},
                   {"body", {{"stringValue", entry.body}}},
                   {"attributes", std::move(attributes)}};
    if (entry.severity > 0) record["severityNumber"] = entry.severity;
    if (!entry.severity_text.empty()) record["severityText"] = entry.severity_text;
    if (!entry.trace_id.empty()) record["traceId"] = entry.trace_id;
    if (!entry.span_id.empty()) record["spanId"] = entry.span_id;
    return record;
}

}  // namespace

std::string encode_otlp_logs(const std::vector<collect::LogEntry>& entries, const std::string& instance) {
    std::map<std::string, std::map<std::string, json>> by_service;  // Then by stream: the records, in order.
    for (const auto& entry : entries) {
        json& records = by_service[entry.service].try_emplace(entry.stream, json::array()).first->second;
        records.push_back(record_of(entry));
    }
    json resources = json::array();
    for (auto& [service, streams] : by_service) {
        json scopes = json::array();
        for (auto& [stream, records] : streams) {
            scopes.push_back({{"scope", {{"name", stream}}}, {"logRecords", std::move(records)}});
        }
        json about = json::array({attribute("host.name", instance)});
        if (!service.empty()) about.push_back(attribute("service.name", service));
        resources.push_back({{"resource", {{"attributes", std::move(about)}}}, {"scopeLogs", std::move(scopes)}});
    }
    return json{{"resourceLogs", std::move(resources)}}.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<LogAnswer> judge_logs(const Result<net::Response>& response) {
    if (!response) return Error{Errc::Unavailable, response.error().message};
    const int status = response->status;
    const std::string said = std::to_string(status) + " " + std::string(trim(response->body.substr(0, 200)));
    if (status / 100 == 2) {
        const json answer = json::parse(response->body, nullptr, false);
        const json partial = answer.is_object() ? answer.value("partialSuccess", json::object()) : json::object();
        const std::string why = partial.is_object() ? partial.value("errorMessage", json("")).dump() : "";
        return LogAnswer{false, why == "\"\"" ? "" : why};
    }
    // As with samples: what somebody will correct (a token, a path) must not lose lines. 400 and 413 never become good.
    if (status == 400 || status == 413 || status == 422) return LogAnswer{true, said};
    return Error{Errc::Unavailable, said};
}

LogShipper::LogShipper(LogShipperOptions options, metrics::Registry& registry)
    : options_(std::move(options)),
      lines_(registry.counter("stoker_agent_log_lines_total",
                              "Lines of log for the receiver: sent, refused (for good), or put off (read again later).",
                              {"result"})) {}

Result<net::Response> LogShipper::post(const std::vector<collect::LogEntry>& entries) const {
    HttpPost request{options_.url, {}, "", options_.tls, options_.timeout};
    if (!options_.token_file.empty()) {
        TRY(const std::string token, read_file(options_.token_file));
        request.headers.set("Authorization", "Bearer " + std::string(trim(token)));
    }
    for (const auto& [name, value] : options_.headers) request.headers.set(name, value);
    request.headers.set("Content-Type", "application/json");
    request.headers.set("Content-Encoding", "gzip");
    request.headers.set("X-Stoker-Agent", options_.instance);
    request.body = wire::gzip_compress(encode_otlp_logs(entries, options_.instance), kGzipLevel);
    return post_and_wait(std::move(request));
}

Result<Unit> LogShipper::append(std::vector<collect::LogEntry> entries) {
    const SteadyTime now = std::chrono::steady_clock::now();
    const auto count = static_cast<double>(entries.size());
    if (now < not_before_) return Error{Errc::Unavailable, "the receiver of logs did not answer a moment ago"};
    const auto answer = judge_logs(post(entries));
    if (!answer) {
        lines_.with({"put off"}).add(count);
        pause_ = std::clamp(pause_ * 2, kFirstPause, kLongestPause);
        not_before_ = now + pause_;
        if (!std::exchange(failing_, true)) log::warn("lines of log wait", {{"error", answer.error().message}});
        return answer.error();
    }
    pause_ = Duration{0};
    failing_ = false;
    if (!answer->why.empty()) log::warn("the receiver left lines of log out", {{"says", answer->why}});
    lines_.with({answer->refused ? "refused" : "sent"}).add(count);
    return Unit{};
}

}  // namespace stoker::agent
