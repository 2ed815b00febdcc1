// Answers in the shape of Prometheus' HTTP API:
//
//   {"status":"success","data":...,"warnings":[...],"infos":[...]}
//   {"status":"error","errorType":"bad_data","error":"..."}
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/http.h"

namespace stoker::api {

// What Prometheus says when it leaves results out because of `limit`.
inline constexpr std::string_view kTruncated = "results truncated due to limit";

// A good answer, built in place: results may be hundreds of megabytes, and are not to be copied.
class PrometheusAnswer {
public:
    PrometheusAnswer();
    explicit PrometheusAnswer(std::string_view data);

    // 204: done, and nothing to tell.
    static PrometheusAnswer nothing();

    // Append the JSON of `data` here.
    std::string& out() { return body_; }

    void warn(std::string_view text) { warnings_.emplace_back(text); }
    void add_notes(std::vector<std::string> warnings, std::vector<std::string> infos);

    net::Response finish() &&;

private:
    std::string body_;
    std::vector<std::string> warnings_;
    std::vector<std::string> infos_;
    bool nothing_ = false;
};

// bad_data 400, execution 422, timeout, canceled and unavailable 503, not_found 404, internal 500.
net::Response prometheus_error(const Error& error);
net::Response prometheus_error(int status, std::string_view type, std::string_view message);

// ["a","b"]
void append_json_list(std::string& out, const std::vector<std::string>& texts);

}  // namespace stoker::api
