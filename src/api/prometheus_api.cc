#include "api/prometheus_api.h"

#include <algorithm>
#include <array>
#include <set>

#include "api/prometheus_params.h"
#include "promql/format.h"

namespace stoker::api {

namespace {

constexpr std::string_view kPrefix = "/api/v1/";

struct Answer {
    std::string data;  // JSON.
    std::vector<std::string> warnings;
    std::vector<std::string> infos;
};

constexpr const char* kTruncated = "results truncated due to limit";

void append_json_list(std::string& out, const std::vector<std::string>& texts) {
    out += '[';
    for (const std::string& text : texts) {
        if (&text != &texts.front()) out += ',';
        promql::append_json_string(out, text);
    }
    out += ']';
}

net::Response respond(int status, std::string body) {
    return {status, {{"Content-Type", "application/json"}}, std::move(body)};
}

net::Response success(const Answer& answer) {
    std::string body = R"({"status":"success","data":)" + answer.data;
    if (!answer.warnings.empty()) {
        body += ",\"warnings\":";
        append_json_list(body, answer.warnings);
    }
    if (!answer.infos.empty()) {
        body += ",\"infos\":";
        append_json_list(body, answer.infos);
    }
    return respond(200, body + "}");
}

struct ErrorType {
    std::string_view name;
    int status;
};

ErrorType type_of(const Error& error) {
    switch (error.code) {
        case Errc::InvalidArgument: {
            const bool execution = error.detail == static_cast<std::uint16_t>(promql::Fault::Execution);
            return execution ? ErrorType{"execution", 422} : ErrorType{"bad_data", 400};
        }
        case Errc::ResourceExhausted:
            return {"execution", 422};
        case Errc::DeadlineExceeded:
            return {"timeout", 503};
        case Errc::Cancelled:
            return {"canceled", 503};
        case Errc::Unavailable:
            return {"unavailable", 503};
        case Errc::NotFound:
            return {"not_found", 404};
        default:
            return {"internal", 500};
    }
}

net::Response failure(const Error& error) {
    const ErrorType type = type_of(error);
    std::string body = R"({"status":"error","errorType":")" + std::string(type.name) + R"(","error":)";
    promql::append_json_string(body, error.message);
    return respond(type.status, body + "}");
}

// Parse errors carry the parameter's name, as Prometheus gives it.
Error in_query(Error error) {
    const bool parse = error.code == Errc::InvalidArgument && error.detail == 0 &&
                       error.message.find(": parse error: ") != std::string::npos;
    if (parse) error.message = "invalid parameter \"query\": " + error.message;
    return error;
}

// Prometheus lets a request shorten the engine's timeout, never lengthen it.
Result<promql::Engine> engine_for(const PrometheusRequest& request, const promql::Engine& engine) {
    promql::EngineOptions options = engine.options();
    if (!prometheus_param(request, "timeout").empty()) {
        TRY(const Duration timeout, prometheus_duration(request, "timeout"));
        options.timeout = std::min(options.timeout, timeout);
    }
    return promql::Engine(options);
}

Answer to_answer(promql::Value value, std::size_t limit) {
    const auto truncate = [&](auto& list) {
        if (limit == 0 || list.size() <= limit) return;
        list.resize(limit);
        value.warnings.emplace_back(kTruncated);
    };
    if (auto* vector = std::get_if<promql::Vector>(&value.data)) truncate(*vector);
    if (auto* matrix = std::get_if<promql::Matrix>(&value.data)) truncate(*matrix);
    return {promql::to_prometheus_json(value), std::move(value.warnings), std::move(value.infos)};
}

Result<Answer> query(const PrometheusRequest& request, const tsdb::Querier& querier, const promql::Engine& engine) {
    TRY(const std::size_t limit, prometheus_limit(request));
    TRY(const Timestamp at, prometheus_time(request, "time", request.now));
    TRY(const promql::Engine limited, engine_for(request, engine));
    auto value = limited.instant(querier, prometheus_param(request, "query"), at, request.cancelled);
    if (!value) return in_query(std::move(value).error());
    return to_answer(*std::move(value), limit);
}

Result<Answer> query_range(const PrometheusRequest& request, const tsdb::Querier& querier,
                           const promql::Engine& engine) {
    TRY(const std::size_t limit, prometheus_limit(request));
    TRY(const Timestamp start, prometheus_time(request, "start", std::nullopt));
    TRY(const Timestamp end, prometheus_time(request, "end", std::nullopt));
    if (end < start) {
        return Error{Errc::InvalidArgument, "invalid parameter \"end\": end timestamp must not be before start time"};
    }
    TRY(const Duration step, prometheus_duration(request, "step"));
    if (step.count() <= 0) {
        return Error{Errc::InvalidArgument,
                     "invalid parameter \"step\": zero or negative query resolution step widths are not accepted. "
                     "Try a positive integer"};
    }
    TRY(const promql::Engine limited, engine_for(request, engine));
    auto value = limited.range(querier, prometheus_param(request, "query"), start, end, step, request.cancelled);
    if (!value) return in_query(std::move(value).error());
    return to_answer(*std::move(value), limit);
}

// The union over all match[], without repeats, in order.
template <typename Find>
Result<std::vector<std::string>> union_of(const std::vector<std::vector<tsdb::Matcher>>& selectors, Find find) {
    if (selectors.empty()) return find({});
    std::set<std::string> all;
    for (const auto& matchers : selectors) {
        TRY(std::vector<std::string> found, find(matchers));
        all.insert(std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
    }
    return std::vector<std::string>(all.begin(), all.end());
}

Answer list_answer(std::vector<std::string> texts, std::size_t limit) {
    Answer answer;
    if (limit != 0 && texts.size() > limit) {
        texts.resize(limit);
        answer.warnings.emplace_back(kTruncated);
    }
    append_json_list(answer.data, texts);
    return answer;
}

Result<Answer> series(const PrometheusRequest& request, const tsdb::Querier& querier, const promql::Engine&) {
    TRY(const std::size_t limit, prometheus_limit(request));
    TRY(const TimeSpan span, prometheus_span(request));
    TRY(const auto selectors, prometheus_matchers(request));
    if (selectors.empty()) return Error{Errc::InvalidArgument, "no match[] parameter provided"};
    std::set<tsdb::Labels> all;
    for (const auto& matchers : selectors) {
        TRY(const auto found, querier.select(matchers, span.start, span.end, 0));
        for (const auto& one : found) all.insert(one->labels());
    }
    Answer answer{"[", {}, {}};
    std::size_t count = 0;
    for (const tsdb::Labels& labels : all) {
        if (limit != 0 && count == limit) {
            answer.warnings.emplace_back(kTruncated);
            break;
        }
        if (count++ > 0) answer.data += ',';
        promql::append_json_labels(answer.data, labels);
    }
    answer.data += ']';
    return answer;
}

Result<Answer> labels(const PrometheusRequest& request, const tsdb::Querier& querier, const promql::Engine&) {
    TRY(const std::size_t limit, prometheus_limit(request));
    TRY(const TimeSpan span, prometheus_span(request));
    TRY(const auto selectors, prometheus_matchers(request));
    TRY(std::vector<std::string> names, union_of(selectors, [&](const std::vector<tsdb::Matcher>& matchers) {
            return querier.label_names(matchers, span.start, span.end);
        }));
    return list_answer(std::move(names), limit);
}

// NAME of "label/NAME/values", decoded; empty if the path is another.
std::string label_of(std::string_view path) {
    constexpr std::string_view kLabel = "label/";
    constexpr std::string_view kValues = "/values";
    if (!path.starts_with(kLabel) || !path.ends_with(kValues) || path.size() <= kLabel.size() + kValues.size()) {
        return {};
    }
    const std::string_view name = path.substr(kLabel.size(), path.size() - kLabel.size() - kValues.size());
    if (name.find('/') != std::string_view::npos) return {};
    std::string escaped;
    for (const char c : name) c == '+' ? escaped += "%2B" : escaped += c;  // A plus in a path is a plus.
    const auto decoded = net::parse_query("n=" + escaped);
    return decoded.empty() ? std::string(name) : decoded.front().second;
}

Result<Answer> label_values(const PrometheusRequest& request, const tsdb::Querier& querier, const promql::Engine&) {
    TRY(const std::size_t limit, prometheus_limit(request));
    TRY(const TimeSpan span, prometheus_span(request));
    TRY(const auto selectors, prometheus_matchers(request));
    const std::string name = label_of(std::string_view(request.path).substr(kPrefix.size()));
    TRY(std::vector<std::string> values, union_of(selectors, [&](const std::vector<tsdb::Matcher>& matchers) {
            return querier.label_values(name, matchers, span.start, span.end);
        }));
    return list_answer(std::move(values), limit);
}

// The store keeps no metadata (types and help texts), so there is none to tell.
Result<Answer> metadata(const PrometheusRequest&, const tsdb::Querier&, const promql::Engine&) {
    return Answer{"{}", {}, {}};
}

// Clients read features out of this; "application" says that the version is not Prometheus' own.
Result<Answer> build_info(const PrometheusRequest&, const tsdb::Querier&, const promql::Engine&) {
    return Answer{R"({"application":"Stoker","version":")" STOKER_VERSION
                  R"(","revision":"","branch":"","buildUser":"","buildDate":"","goVersion":""})",
                  {},
                  {}};
}

struct Endpoint {
    std::string_view path;
    bool post;
    Result<Answer> (*answer)(const PrometheusRequest&, const tsdb::Querier&, const promql::Engine&);
};

constexpr std::array kEndpoints = {
    Endpoint{"query", true, query},        Endpoint{"query_range", true, query_range},
    Endpoint{"series", true, series},      Endpoint{"labels", true, labels},
    Endpoint{"metadata", false, metadata}, Endpoint{"status/buildinfo", false, build_info},
};
constexpr Endpoint kLabelValues{"label/*/values", false, label_values};

const Endpoint* find_endpoint(std::string_view path) {
    if (!path.starts_with(kPrefix)) return nullptr;
    path.remove_prefix(kPrefix.size());
    const auto found =
        std::find_if(kEndpoints.begin(), kEndpoints.end(), [&](const Endpoint& one) { return one.path == path; });
    if (found != kEndpoints.end()) return &*found;
    return label_of(path).empty() ? nullptr : &kLabelValues;
}

}  // namespace

bool is_prometheus_path(std::string_view path) {
    return find_endpoint(path) != nullptr;
}

net::Response prometheus_api(const PrometheusRequest& request, const tsdb::Querier& querier,
                             const promql::Engine& engine) {
    const Endpoint* endpoint = find_endpoint(request.path);
    if (endpoint == nullptr) return failure({Errc::NotFound, "no such endpoint: " + request.path});
    const bool get = request.method == "GET" || request.method == "HEAD";
    if (!get && !(endpoint->post && request.method == "POST")) {
        net::Response refused =
            respond(405, R"({"status":"error","errorType":"bad_data","error":"method not allowed"})");
        refused.headers.add("Allow", endpoint->post ? "GET, HEAD, POST" : "GET, HEAD");
        return refused;
    }
    const Result<Answer> answer = endpoint->answer(request, querier, engine);
    return answer ? success(*answer) : failure(answer.error());
}

}  // namespace stoker::api
