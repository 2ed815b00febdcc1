// Receives logs that others push: OTLP/HTTP (POST /v1/logs) and Loki's push API (POST /loki/api/v1/push).
//
// An answer of success means that the sink has every line that was not reported as rejected. Answers as the protocols
// say: OTLP as OtlpAnswer has it; Loki's 204, 400 with a text, 429 and 503 when sending again helps.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "collect/logs/log_entry.h"
#include "collect/push/push.h"
#include "net/http.h"
#include "wire/loki.h"
#include "wire/otlp_logs.h"

namespace stoker::collect {

struct LogReceiverOptions {
    std::size_t max_body_bytes = std::size_t{32} << 20;   // Decompressed.
    std::size_t max_line_bytes = std::size_t{256} << 10;  // Of one body; the rest is cut.
    std::size_t max_entry_bytes = std::size_t{900}
                                  << 10;  // Of a line with all its attributes; larger ones are rejected.
};

// Thread-safe.
class LogReceiver {
public:
    // REQUIRES: both outlive it.
    LogReceiver(LogSink& sink, LogReceiverOptions options, metrics::Registry& registry);

    net::Response receive_otlp(const PushRequest& request);
    net::Response receive_loki(const PushRequest& request);

private:
    struct Rejected {
        std::size_t lines = 0;
        std::string why;
    };

    net::Response handle_otlp(const PushRequest& request);
    net::Response handle_loki(const PushRequest& request);
    // Cuts and refuses what is too large, and hands on the rest. Errors: of the sink.
    Result<Rejected> store(std::vector<LogEntry> entries, const char* protocol);
    net::Response counted(net::Response response, const char* protocol);

    LogSink& sink_;
    const LogReceiverOptions options_;
    metrics::Family<metrics::Counter>& lines_;
    metrics::Family<metrics::Counter>& requests_;
};

// The lines of a request as entries, in its order; pure.
std::vector<LogEntry> entries_of(wire::otlp::LogsRequest request, std::int64_t observed_ns);
std::vector<LogEntry> entries_of(std::vector<wire::loki::Stream> streams, std::int64_t observed_ns);

}  // namespace stoker::collect
