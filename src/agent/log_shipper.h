// Lines of log on their way to a receiver of OTLP logs: http(s)://HOST:8701/v1/logs of Stoker, or a collector's.
//
// Nothing is queued here. What the receiver does not take is refused, so that the file it stands in is read again
// later: the files themselves are the buffer, for as long as their rotation keeps them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "collect/logs/log_entry.h"
#include "net/client.h"
#include "net/http.h"

namespace stoker::agent {

// ExportLogsServiceRequest in OTLP's JSON. `instance` becomes host.name, the entry's service service.name, its stream
// the scope. Pure.
std::string encode_otlp_logs(const std::vector<collect::LogEntry>& entries, const std::string& instance);

// What an answer means. Errors: Unavailable, the same lines may be taken later; anything else that is no success
// refuses them for good and is told by `refused`.
struct LogAnswer {
    bool refused = false;
    std::string why;
};
Result<LogAnswer> judge_logs(const Result<net::Response>& response);

struct LogShipperOptions {
    std::string url;
    std::string token_file;  // Read anew for each request; empty: none.
    std::map<std::string, std::string> headers;
    net::TlsClientOptions tls;
    Duration timeout{5'000};
    std::string instance;
};

// For one thread.
class LogShipper final : public collect::LogSink {
public:
    // REQUIRES: registry outlives it.
    LogShipper(LogShipperOptions options, metrics::Registry& registry);

    // Blocks for at most the timeout. After a failure it refuses at once until a pause is over. Errors: Unavailable.
    Result<Unit> append(std::vector<collect::LogEntry> entries) override;

private:
    Result<net::Response> post(const std::vector<collect::LogEntry>& entries) const;

    const LogShipperOptions options_;
    metrics::Family<metrics::Counter>& lines_;
    Duration pause_{0};
    SteadyTime not_before_{};
    bool failing_ = false;
};

}  // namespace stoker::agent
