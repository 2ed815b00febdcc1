// Where limits meet a request: reserves before it is forwarded, refuses with the ledger, and says in headers how much
// is left.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "gateway/errors.h"
#include "gateway/limit/limiter.h"
#include "net/http.h"

namespace stoker::gateway {

class RequestContext;

// Takes the request's part of every limit that applies. False: it was refused, and is settled.
// REQUIRES: context.plan, context.scan and context.identity are set.
boost::asio::awaitable<bool> reserve_limits(RequestContext& context);

// x-ratelimit-{limit,remaining,reset}-{requests,tokens}, as OpenAI names and writes them. Nothing for what has no
// limit.
net::Headers rate_headers(const RateViews& views);

// A time as those headers write it: "120ms", "6s", "1m30s", "2h0m5s"; rounded up to the millisecond.
std::string rate_duration(Duration duration);

GatewayError error_of(LimitKind kind);
// What the client and the operator read: whose limit, of what, and its state at that moment.
std::string describe(const LimitRefusal& refusal);

}  // namespace stoker::gateway
