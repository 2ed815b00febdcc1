#include "api/prometheus_answer.h"

#include <utility>

#include "promql/engine.h"
#include "promql/format.h"

namespace stoker::api {
namespace {

constexpr std::string_view kBegin = R"({"status":"success","data":)";

net::Response json(int status, std::string body) {
    return {status, {{"Content-Type", "application/json"}}, std::move(body)};
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

}  // namespace

PrometheusAnswer::PrometheusAnswer() : body_(kBegin) {}

PrometheusAnswer::PrometheusAnswer(std::string_view data) : PrometheusAnswer() {
    body_ += data;
}

PrometheusAnswer PrometheusAnswer::nothing() {
    PrometheusAnswer answer;
    answer.nothing_ = true;
    return answer;
}

void PrometheusAnswer::add_notes(std::vector<std::string> warnings, std::vector<std::string> infos) {
    warnings_.insert(warnings_.end(), std::make_move_iterator(warnings.begin()),
                     std::make_move_iterator(warnings.end()));
    infos_.insert(infos_.end(), std::make_move_iterator(infos.begin()), std::make_move_iterator(infos.end()));
}

net::Response PrometheusAnswer::finish() && {
    if (nothing_) return {204, {}, {}};
    if (!warnings_.empty()) {
        body_ += ",\"warnings\":";
        append_json_list(body_, warnings_);
    }
    if (!infos_.empty()) {
        body_ += ",\"infos\":";
        append_json_list(body_, infos_);
    }
    body_ += '}';
    return json(200, std::move(body_));
}

net::Response prometheus_error(const Error& error) {
    const ErrorType type = type_of(error);
    return prometheus_error(type.status, type.name, error.message);
}

net::Response prometheus_error(int status, std::string_view type, std::string_view message) {
    std::string body = R"({"status":"error","errorType":")" + std::string(type) + R"(","error":)";
    promql::append_json_string(body, message);
    body += '}';
    return json(status, std::move(body));
}

void append_json_list(std::string& out, const std::vector<std::string>& texts) {
    out += '[';
    for (const std::string& text : texts) {
        if (&text != &texts.front()) out += ',';
        promql::append_json_string(out, text);
    }
    out += ']';
}

}  // namespace stoker::api
