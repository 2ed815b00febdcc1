// One try of a request on one replica: sends it, judges the answer, and passes it to the client.
//
// Until the client's first byte a failure is returned, for the caller to try elsewhere. From then on the attempt ends
// the client's answer itself: whole, or with an error event and a cut connection, never with a clean end that is not
// one.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/request_context.h"
#include "gateway/retry.h"

namespace stoker::gateway {

struct AttemptResult {
    bool delivered = false;  // The client has its answer, such as it is; the request is settled.
    // Of one that was not delivered:
    Verdict verdict;
    int status = 0;  // The upstream's; 0 if none came.
    std::string message;
    std::optional<Duration> retry_after;
};

class Attempt {
public:
    // `context` outlives it, `body` the sending of the request.
    Attempt(RequestContext& context, std::size_t target, std::string_view body, SteadyTime deadline);
    ~Attempt();
    Attempt(const Attempt&) = delete;
    Attempt& operator=(const Attempt&) = delete;

    boost::asio::awaitable<AttemptResult> run();

private:
    boost::asio::awaitable<AttemptResult> answered(std::unique_ptr<net::Call> call);
    boost::asio::awaitable<AttemptResult> relay_events();
    boost::asio::awaitable<AttemptResult> relay_whole();
    boost::asio::awaitable<AttemptResult> relay_refusal();

    boost::asio::awaitable<bool> start_answer();
    boost::asio::awaitable<bool> send_on(std::string_view bytes);
    boost::asio::awaitable<AttemptResult> end_stream(StreamRelay& relay);
    boost::asio::awaitable<AttemptResult> break_stream(StreamRelay& relay, GatewayError error, std::string message);
    boost::asio::awaitable<AttemptResult> break_silent_stream(StreamRelay& relay);
    boost::asio::awaitable<AttemptResult> refuse_with(const RelayFailure& failure);
    boost::asio::awaitable<void> drain_upstream();

    boost::asio::awaitable<AttemptResult> end_passed(std::string_view tail);
    boost::asio::awaitable<AttemptResult> deliver_held(std::string body);

    AttemptResult fail(Verdict verdict, std::string message, std::string_view cause);
    AttemptResult fail_with(const Error& error);
    AttemptResult delivered(Outcome outcome, int status, std::string_view code, std::string_view cause);
    AttemptResult client_left();
    // The replica has done its part: what follows is between us and the client.
    void conclude();
    Duration remaining(Duration phase) const;
    SteadyTime stream_deadline(const StreamRelay& relay) const;

    RequestContext& context_;
    const Target& target_;
    const Pool& pool_;
    const std::string_view body_;
    const SteadyTime deadline_;  // Of the whole request.
    SteadyTime sent_at_{};
    Turn turn_;
    ActiveAttempt active_;
    std::unique_ptr<net::Call> call_;
    int status_ = 0;
    std::string cause_ = "internal";  // How the attempt ended; empty: well.
    bool concluded_ = false;
};

namespace internal {

// How an attempt ended on a replica that was found down or hung meanwhile.
inline constexpr std::string_view kReplicaLost = "replica_lost";

inline SteadyTime clock_now() {
    return std::chrono::steady_clock::now();
}
bool is_json(const net::ResponseHead& head);

}  // namespace internal
}  // namespace stoker::gateway
