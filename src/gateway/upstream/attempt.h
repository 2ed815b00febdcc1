// One try of a request on one replica: sends it, judges the answer, and passes it to the client.
//
// Until the client's first byte a failure is returned, for the caller to try elsewhere. A stream that breaks off after
// it is returned too, as interrupted: another attempt goes on with it, or the caller ends it with an error. Every other
// answer is ended here: whole, or by a cut connection, never with a clean end that is not one.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/request_context.h"
#include "gateway/upstream/continuation.h"
#include "gateway/upstream/race.h"
#include "gateway/upstream/retry.h"

namespace stoker::gateway {

// An answer that another model may do better than: kept until it is known whether one did.
struct HeldAnswer {
    std::size_t target = 0;  // Who gave it, of the step's pool.
    net::Response response;
    AnswerFacts facts{};
};

struct AttemptResult {
    std::size_t target = 0;  // Whose it is, of the step's pool.
    bool failed = false;     // By itself, and not by losing to another attempt.
    bool delivered = false;  // The client has its answer, such as it is; the request is settled.
    // Of one that was not delivered:
    bool interrupted = false;  // The client has a part of its answer, and nothing yet of how it ends.
    Verdict verdict;
    int status = 0;  // The upstream's; 0 if none came.
    std::string message;
    std::optional<Duration> retry_after;
    std::optional<FallbackCause> cause;  // Where the answer itself says it; empty: by the verdict.
    std::optional<HeldAnswer> held;      // For the client, untouched, if no later step of the plan answers.
};

// What holds for one attempt alone.
struct AttemptTerms {
    SteadyTime deadline{};                   // Of the whole request.
    bool trial = false;                      // Its replica's circuit is half open: see Replica::claim_trial().
    Race* race = nullptr;                    // With another attempt; null: it is the only one.
    const wire::EditedBody* body = nullptr;  // Null: context.upstream_body. Outlives the attempt.
    AttemptKind kind = AttemptKind::Other;
};

class Attempt {
public:
    // Sends the body of `terms`. `context` and `progress` outlive it.
    Attempt(RequestContext& context, std::size_t target, const AttemptTerms& terms, StreamProgress& progress);
    ~Attempt();
    Attempt(const Attempt&) = delete;
    Attempt& operator=(const Attempt&) = delete;

    boost::asio::awaitable<AttemptResult> run();

    // Another attempt has answered: this one is over, on record too, and its run() returns soon.
    void lose();

private:
    boost::asio::awaitable<AttemptResult> answered(std::unique_ptr<net::Call> call);
    boost::asio::awaitable<AttemptResult> relay_events();
    boost::asio::awaitable<AttemptResult> pass_events(StreamRelay& relay);
    boost::asio::awaitable<AttemptResult> relay_whole();
    boost::asio::awaitable<AttemptResult> relay_refusal();

    boost::asio::awaitable<bool> start_answer();
    boost::asio::awaitable<bool> send_on(std::string_view bytes);
    boost::asio::awaitable<AttemptResult> end_stream(StreamRelay& relay);
    boost::asio::awaitable<AttemptResult> break_stream(StreamRelay& relay, GatewayError error, std::string message);
    boost::asio::awaitable<AttemptResult> interrupt_stream(StreamRelay& relay, GatewayError error, std::string message);
    boost::asio::awaitable<AttemptResult> break_silent_stream(StreamRelay& relay);
    boost::asio::awaitable<AttemptResult> refuse_with(const RelayFailure& failure);
    boost::asio::awaitable<void> drain_upstream();

    boost::asio::awaitable<AttemptResult> end_passed(std::string_view tail);
    boost::asio::awaitable<AttemptResult> break_passed(GatewayError error, std::string_view cause);
    boost::asio::awaitable<AttemptResult> deliver_held(std::string body, AnswerScanner* scanner);
    boost::asio::awaitable<AttemptResult> block_answer(std::string reason);

    AttemptResult fail(Verdict verdict, std::string message, std::string_view cause);
    AttemptResult fail_with(const Error& error);
    AttemptResult delivered(Outcome outcome, int status, std::string_view code, std::string_view cause);
    // Keeps the answer back instead of giving it to the client. REQUIRES: a later step takes `cause`.
    AttemptResult hold(FallbackCause cause, net::Response response, AnswerFacts facts = {});
    void note_tokens(const StreamRelay& relay);
    AttemptResult lost_content(const StreamRelay& relay);
    AttemptResult refuse_to_continue();
    AttemptResult upload_failed(const Error& problem);
    AttemptResult refuse_for_key();
    AttemptResult client_left();
    AttemptResult lost() const;
    // Before anything that the client hears of: false if another attempt was faster, and the answer is lost().
    bool claim();
    void note_left_behind(std::string_view reason);
    // The replica has done its part: what follows is between us and the client.
    void conclude();
    // The whole request's deadline left the replica less time than it may take.
    bool cut_short() const;
    Duration first_token_limit() const;
    Duration remaining(Duration phase) const;
    SteadyTime stream_deadline(const StreamRelay& relay) const;

    RequestContext& context_;
    const std::size_t index_;  // Of the target in its pool.
    const Target& target_;
    const Pool& pool_;
    const DeadlineOptions& limits_;  // Of the model.
    const SteadyTime deadline_;      // Of the whole request.
    StreamProgress& progress_;
    Race* const race_;
    const AttemptKind kind_;
    const wire::EditedBody& body_;
    const LoadEstimate estimate_;
    SteadyTime sent_at_{};
    Turn turn_;
    ActiveAttempt active_;
    bool lost_ = false;
    std::unique_ptr<net::Call> call_;
    int status_ = 0;
    std::string cause_ = "internal";  // How the attempt ended; empty: well.
    bool refused_ = false;            // Well, but with an answer that another model may better.
    bool concluded_ = false;
    std::int64_t delivered_events_ = 0;  // Of a stream: with content, those that were written to the client.
};

namespace internal {

// How an attempt ended on a replica that was found down or hung meanwhile.
inline constexpr std::string_view kReplicaLost = "replica_lost";
// Why tokens were wasted.
inline constexpr std::string_view kClientLeft = "client_left";
inline constexpr std::string_view kHedge = "hedge";

inline SteadyTime clock_now() {
    return std::chrono::steady_clock::now();
}
bool is_json(const net::ResponseHead& head);
// What a refusal with this status and body is a reason for; empty: for nothing but telling the client.
std::optional<FallbackCause> cause_of_refusal(int status, std::string_view body);

}  // namespace internal
}  // namespace stoker::gateway
