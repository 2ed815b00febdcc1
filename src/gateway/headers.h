// Which header fields cross the gateway, and which it adds. Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "gateway/degrade/degradation.h"
#include "gateway/trace.h"
#include "net/http.h"

namespace stoker::gateway {

// The client's fields without those of its connection, without Accept-Encoding (a compressed stream can't be read),
// with the request's id, the attempt's span in traceparent, and the replica's own key in place of the client's if it
// has one. What the client shows of itself goes on only if the gateway asks for no keys.
enum class ClientCredentials : unsigned char { PassOn, Withhold };
net::Headers upstream_headers(const net::RequestHead& request, const std::string& request_id, std::string traceparent,
                              const std::string& api_key, ClientCredentials credentials);

// What the gateway says of itself on every answer.
struct AnswerMarks {
    std::string_view request_id;
    std::string_view replica;  // Empty: none was asked.
    std::size_t attempts = 0;
    std::string_view model = {};  // That the replica was asked for; empty: none was.
    std::string_view rule = {};   // Of the routing, that led it there; empty: none.
    std::string_view split = {};  // Or canary, that drew `arm`; empty: none.
    std::string_view arm = {};
    bool provider = false;   // What it says of itself and its account is not passed on.
    bool anthropic = false;  // Its clients look for `request-id`.
    DegradationLevel degradation = DegradationLevel::Normal;
    std::string_view cache = {};  // What the cache had to do with it; empty: nothing.
    std::int64_t queue_ms = 0;    // That it waited for a place; 0: it did not, or hardly.
    net::Headers rates{};         // x-ratelimit-*; where there are any, an upstream's own are not passed on.
};

// The upstream's fields without those of its connection and without its length, plus ours.
net::Headers client_headers(const net::ResponseHead& upstream, const AnswerMarks& marks);
void add_marks(net::Headers& headers, const AnswerMarks& marks);

}  // namespace stoker::gateway
