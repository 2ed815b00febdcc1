// One blocking HTTP exchange, for commands and for healing's worker threads. Never for event loops.
#pragma once

#include <atomic>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "net/http.h"
#include "net/proxy.h"

namespace stoker::app {

struct CallOptions {
    std::string method = "GET";
    net::Headers headers;
    std::string body;
    std::string content_type = "application/json";  // Of the body, if there is one.
    std::string ca_file;                            // Certificates to trust instead of the system's; empty: those.
    Duration limit{60'000};
    std::size_t max_answer = std::size_t{256} << 20;
    net::ProxyOptions proxy;                       // On the way to an https URL.
    const std::atomic<bool>* abandoned = nullptr;  // The call ends soon after this is set; may be null.
};

// Errors: DeadlineExceeded after options.limit; Cancelled if it was abandoned; those of net::fetch.
Result<net::Response> call_url(const std::string& url, const CallOptions& options);

// `target` is path and query on `server` (http://HOST:PORT). Errors name the server and what to do.
Result<net::Response> call(const std::string& server, const std::string& method, const std::string& target,
                           const std::string& body = "");

}  // namespace stoker::app
