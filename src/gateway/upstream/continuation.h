// A stream that broke off after the client's first byte: what the client has of it, whether and how another replica can
// go on with it, and how it ends where none can.
//
// What wire/continuation.h can do with bytes is decided here for a request: by what it asked for, by what its answer
// has been so far (plain text of one choice goes on; a tool call, reasoning or audio under way does not), by what the
// pool allows and its engines can.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "gateway/request_context.h"
#include "gateway/upstream/stream_relay.h"
#include "wire/continuation.h"

namespace stoker::gateway {

// Of one stream, over all of its attempts. Lives as long as the request is tried.
struct StreamProgress {
    bool begun = false;  // The client has a part of it.
    wire::AnswerSoFar answer;
    wire::StreamIdentity identity;
    std::int64_t events = 0;  // With content.
    bool plain = true;        // Text of one choice and nothing else, and not too much of it to be sent again.
    AnswerFacts facts;

    // How it broke last, for the client if it can't go on.
    GatewayError error{};
    std::string message;
    std::string engine_event;  // The engine's own words for it, to be passed on instead of ours.
    std::optional<std::int64_t> sequence;

    int continuations = 0;
    std::string body;                    // The request for the rest; empty in the first attempt.
    std::optional<wire::Splice> splice;  // Set with `body`.

    // The client has all that `relay` let through. REQUIRES: each relay is taken once.
    void take(const StreamRelay& relay);
};

// Whether a request's stream could ever be continued: what it takes to do so is kept only then.
bool may_continue(const RequestContext& context);

// Whether this replica can go on with another's answer: a completion any that takes a prompt, a chat those that are
// known to, or are said to in the configuration, and did not refuse lately.
bool can_continue(const RequestContext& context, const Target& target);

enum class Continuation : std::uint8_t {
    Ready,     // progress.body and splice are set.
    Complete,  // The client has all tokens that it asked for; only the end is missing.
    Barred     // It must end here; progress.message says why.
};

// Decides how a broken stream goes on. REQUIRES: progress.begun.
Continuation prepare_continuation(RequestContext& context, StreamProgress& progress);

// The event with the usage that the client asked for, where no engine came to its end: the prompt as it stands on
// record, which is the gateway's estimate. Empty if the client did not ask.
std::string missing_usage(RequestContext& context, const wire::StreamIdentity& identity, std::int64_t completion);

// Ends a stream that lacks only its end.
boost::asio::awaitable<void> end_complete(RequestContext& context, StreamProgress& progress);
// Ends a stream that can't go on: an error event, and a connection that is cut, so that nobody takes it for whole.
boost::asio::awaitable<void> end_broken(RequestContext& context, StreamProgress& progress);

// The facts of a stream that `now` goes on with.
AnswerFacts joined(const AnswerFacts& before, AnswerFacts now);

}  // namespace stoker::gateway
