// One POST and its answer, for threads that may wait.
#pragma once

#include <string>

#include "base/result.h"
#include "base/time.h"
#include "net/client.h"
#include "net/http.h"

namespace stoker::agent {

struct HttpPost {
    std::string url;
    net::Headers headers;
    std::string body;
    net::TlsClientOptions tls;
    Duration timeout{10'000};  // Of the whole exchange.
};

// Blocks for at most `timeout`. Errors: InvalidArgument (the URL), of the connection, DeadlineExceeded,
// ResourceExhausted (an answer of more than 64 KiB). Any status is an answer.
Result<net::Response> post_and_wait(HttpPost post);

}  // namespace stoker::agent
