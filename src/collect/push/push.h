// What the push endpoints have in common: a request as a value in, a response as a value out.
//
// A receiver parses the body, appends to the store and answers as its protocol's specification says, so that senders
// retry just what a retry can help. Receivers are thread-safe, do no I/O of their own, and run on the compute pool.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "net/http.h"

namespace stoker::collect {

struct PushRequest {
    std::string path;
    net::Headers headers;
    std::vector<std::pair<std::string, std::string>> params;  // Of the query, decoded.
    std::string body;                                         // As sent: still compressed.
    Timestamp now;
};

}  // namespace stoker::collect
