// Where a request meets its pool's queue: it waits for a place before it is sent, and keeps that until the pool is done
// with it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "gateway/admission/admission.h"
#include "gateway/errors.h"

namespace stoker::gateway {

class RequestContext;

// Why there was no place. `error` is ClientClosed if the client left while it waited.
struct AdmissionRefusal {
    GatewayError error{};
    std::string message;
    Duration retry_after{0};
};

// A request's place in the pool of its current step. Gives it back, or leaves the queue, when it goes. Touched only on
// the request's loop.
class AdmissionPlace {
public:
    explicit AdmissionPlace(RequestContext& context) : context_(context) {}
    ~AdmissionPlace();
    AdmissionPlace(const AdmissionPlace&) = delete;
    AdmissionPlace& operator=(const AdmissionPlace&) = delete;

    // Waits for it, at most to `deadline`. Empty: it has one. Where the pool's gate is not active there is no need to
    // ask. REQUIRES: called once; context.route is set.
    boost::asio::awaitable<std::optional<AdmissionRefusal>> take(SteadyTime deadline);

private:
    struct Waiter;
    boost::asio::awaitable<AdmissionEnd> wait(SteadyTime until);
    AdmissionRefusal refusal(AdmissionEnd end, SteadyTime now) const;

    RequestContext& context_;
    std::shared_ptr<Admission> admission_;  // Set: there is something to give back.
    AdmissionGate::Ticket ticket_ = 0;      // Not 0: it waits.
    std::shared_ptr<Waiter> waiter_;
    Admittee who_;
};

// The first token of the attempt under way came so long after it was sent: the pool's limit may go by it.
void note_first_token(RequestContext& context, SteadyTime::duration after);
// The same of an answer that is no stream, of so many tokens.
void note_whole_answer(RequestContext& context, SteadyTime::duration after, std::int64_t output_tokens);

}  // namespace stoker::gateway
