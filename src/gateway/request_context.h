// One request from its head to its record: who it is, what is known of it, and the one place where it ends.
//
// Lives in the frame of Gateway::handle() on the connection's loop. Each request is accounted for once, whichever way
// it ends: a good answer before its last bytes go out, anything else in the destructor.
#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "gateway/auth/identity.h"
#include "gateway/cache/cache_status.h"
#include "gateway/core.h"
#include "gateway/endpoint.h"
#include "gateway/errors.h"
#include "gateway/headers.h"
#include "gateway/hooks/answer_source.h"
#include "gateway/meter/overhead.h"
#include "gateway/meter/token_ledger.h"
#include "gateway/route/route_plan.h"
#include "gateway/trace.h"
#include "gateway/upload.h"
#include "gateway/upstream/stream_relay.h"
#include "net/server.h"
#include "records/request_record.h"
#include "wire/edited_body.h"

namespace stoker::gateway {

enum class Outcome : unsigned char { Ok, ClientError, UpstreamError, Truncated, Cancelled, Rejected };
std::string_view to_string(Outcome outcome);

// Why an attempt is made; what stands in its record follows from it.
enum class AttemptKind : std::uint8_t { Other, Continuation, Hedge };

class RequestContext {
public:
    RequestContext(std::shared_ptr<Core> core, LoopState& loop, net::Exchange& exchange);
    ~RequestContext();
    RequestContext(const RequestContext&) = delete;
    RequestContext& operator=(const RequestContext&) = delete;

    Core& core() { return *core_; }
    LoopState& loop() { return loop_; }
    net::Exchange& exchange() { return *exchange_; }
    const net::Exchange& exchange() const { return *exchange_; }
    // The answer goes there from now on. REQUIRES: it outlives its use, which ends with another call.
    void use_exchange(net::Exchange& other) { exchange_ = &other; }
    const TraceContext& trace() const { return trace_; }
    const std::string& id() const { return record_.id; }
    SteadyTime received_at() const { return exchange_->received_at(); }

    // Answers with an error of the gateway's own and settles the request by it.
    boost::asio::awaitable<void> refuse(GatewayError error, std::string message, net::Headers headers = {},
                                        std::string param = {});
    // Answers with what an upstream said, or the gateway's own data, and settles by its status: an error by `code`, or,
    // if that is empty, as the upstream's.
    boost::asio::awaitable<void> respond(net::Response response, std::string_view code = {});

    // How the request ended; the first settlement counts. An empty code means that all is well.
    void settle(Outcome outcome, int status, std::string_view code);
    void settle(Outcome outcome, GatewayError error) { settle(outcome, info(error).status, info(error).code); }
    bool settled() const { return settled_; }
    // It is about to end with this error, of which the client is being told.
    void note_failing(GatewayError error) { failing_ = info(error).code; }
    // How it ended, or is about to; empty: well, or not known yet.
    std::string_view cause() const { return settled_ ? std::string_view(record_.error) : failing_; }

    // Writes the record and the metrics of a settled request, once. Called before the end of an answer is sent: what a
    // client has seen whole is then on record, even if this process is killed the moment after.
    void account();

    // Says who asks; it goes on record from here on.
    void set_identity(std::shared_ptr<const Identity> known);
    std::string attempt_traceparent(const ActiveAttempt& active) const;

    // What the gateway did up to now since the stage before was passed.
    enum class Stage : unsigned char { Receive, Route, Limit, Cache, Queue };
    void passed(Stage stage);
    // So long the request waited for a place in a pool.
    void note_queued(SteadyTime::duration lasted);

    // The client's body, now that it is here: `total` bytes, of which an upload still brings what `held` has not.
    void note_body(std::string held, std::uint64_t total);
    // The rest of the body is on its way to a replica, or was: no other can have it.
    bool body_spent() const { return upload && upload->begun(); }

    // The client has gone: cancels the attempt under way.
    void watch_client();
    bool client_gone() const { return client_gone_ || exchange_->client_gone(); }
    void note_client_gone() { client_gone_ = true; }
    // It has, but others wait for its answer, which goes on. A good end is not one for this request any more.
    void note_left_early() { left_early_ = true; }

    // A request that the gateway makes for others: it has no record of its own and counts as no request, though what it
    // has an engine do counts.
    void make_inner() { inner_ = true; }
    bool inner() const { return inner_; }
    // That one was made for this one, and others: of its attempts these are this one's share.
    void adopt(const records::RequestRecord& inner, std::vector<records::Attempt> share);
    // REQUIRES: there is an attempt. The last one brought so many tokens, after all.
    void correct_attempt_tokens(std::int64_t tokens) { record_.attempts.back().tokens = tokens; }

    // How the request fared with the cache, for the record, the metrics and the client; `detail` is for the client
    // only.
    void note_cache(CacheStatus status, std::string_view detail = {});
    // Called when the client leaves, for whoever waits before there is an attempt. Empty: nobody does.
    std::function<void()> when_client_leaves;

    // The request goes this step's way from now on; the step before it, if there was one, is over.
    // REQUIRES: `step` is of `plan`.
    void take_step(const RouteStep& step);
    // The LoRA adapter of the step's model that is asked for; empty: none.
    std::string_view adapter() const;
    // Whether a later step of the plan would take the request over, should this one end so.
    bool has_fallback(FallbackCause cause) const;
    // The answer is, after all, what this replica of that step said before others were tried.
    void return_to(const RouteStep& step, std::size_t target);
    // The request is about to be sent for the first time: what was done until here is the gateway's own time.
    void note_first_attempt();
    void begin_attempt(ActiveAttempt& active, std::size_t target, AttemptKind kind);
    // `error` is for the record; a replica that did its part, though the answer was of no use, counts as "ok".
    void end_attempt(ActiveAttempt& active, int status, std::string_view error, bool did_its_part);
    // Of those under way, this attempt is the one that answers.
    void lead(const ActiveAttempt& active, const LoadEstimate& estimate_of_it);
    void take_facts(const AnswerFacts& facts);
    // Of one attempt: the answer's tokens that the client got from it, and those that nobody got, and why.
    void note_attempt_tokens(const ActiveAttempt& active, std::int64_t delivered, std::int64_t wasted,
                             std::string_view reason = "retry");
    // Enters an attempt into the ledgers. `facts` are its own, of a stream or else of a whole answer; it went on with
    // `before` tokens of another replica's.
    void enter_tokens(const ActiveAttempt& active, const AnswerFacts& facts, bool stream, std::int64_t before);
    // Where the request's time goes; shown when it has ended.
    Overhead& overhead() { return overhead_; }
    void count_response_bytes(std::size_t bytes) { record_.response_bytes += static_cast<std::int64_t>(bytes); }
    AnswerMarks marks() const;

    // The request's part of the limits; given back, or corrected to what was used, when it is accounted for.
    void hold(const LimitReservation& reservation) { reservation_ = reservation; }

    // A copy of the request is on its way; when the request has ended, the two are compared.
    void follow_shadow(std::shared_ptr<ShadowLink> link) { shadow_ = std::move(link); }

    AnswerSource answer_source() const;

    // Of the last attempt; null before the first.
    const ReplicaSeries* replica_series() const { return series_; }

    // Once the answer has begun the request is not sent again as it was, and a long prompt need not be kept as long as
    // its answer streams; the client's own is needed where the answer may have to be continued.
    void release_bodies(bool keep_own);

    // Filled in as the request is understood.
    std::string body;                // The client's.
    wire::EditedBody upstream_body;  // As it goes to the replica that is being tried; shows `body`.
    std::unique_ptr<Upload> upload;  // The rest of a body that is passed on as it comes; null: `body` is all of it.
    Endpoint endpoint;               // What was called; decides how answers are read and errors worded.
    wire::RequestScan scan;
    std::shared_ptr<const Identity> identity = anonymous();  // Never null.
    DegradationLevel degradation = DegradationLevel::Normal;
    bool cache_only = false;            // The level has no engine do anything for it.
    bool withhold_credentials = false;  // What the client shows is for this gateway, not for what stands behind it.
    RoutePlan plan;
    const ModelRoute* route = nullptr;  // Of the plan's step that is being tried, or was last.
    LoadEstimate estimate;              // Of its cost for the replica that was chosen last.
    bool asks_usage = false;            // The gateway asks for usage though the client did not.

    records::RequestRecord& record() { return record_; }

private:
    std::string_view kind_of_attempt(AttemptKind kind) const;
    void close_books();  // account() but for the write.
    void write_metrics();
    void write_parts();
    void write_replica_metrics();
    std::int64_t count_earlier_tokens();
    void settle_limits();
    bool reached_engine() const;
    void count_for_canary();
    void tell_shadow();

    const std::shared_ptr<Core> core_;
    LoopState& loop_;
    net::Exchange* exchange_;
    TraceContext trace_;
    records::RequestRecord record_;
    std::string replica_id_;                         // Of the last attempt.
    const RouteSeries::Handles* handles_ = nullptr;  // Of `route`, for who asks; null while there is none.
    const ReplicaSeries* series_ = nullptr;          // Of the last attempt.
    const RouteStep* step_ = nullptr;                // Of the plan: the one that is being tried, or was last.
    SteadyTime stage_began_{};
    SteadyTime body_read_at_{};
    std::array<ActiveAttempt*, 2> active_{};  // Under way.
    std::size_t step_attempts_ = 0;           // Before the step that is being tried.
    LimitReservation reservation_;
    Overhead overhead_;
    std::string cache_mark_;              // x-stoker-cache; empty: not asked.
    bool answered_by_cache_ = false;      // Or by an identical request.
    std::shared_ptr<ShadowLink> shadow_;  // Null: no copy was made.
    std::string_view failing_{};
    bool client_gone_ = false;
    bool left_early_ = false;
    bool inner_ = false;
    bool sent_ = false;
    bool settled_ = false;
    bool accounted_ = false;
    bool limits_settled_ = false;
};

}  // namespace stoker::gateway
