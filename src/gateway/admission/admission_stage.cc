#include "gateway/admission/admission_stage.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "gateway/request_context.h"

namespace stoker::gateway {
namespace asio = boost::asio;
namespace {

SteadyTime clock_now() {
    return std::chrono::steady_clock::now();
}

// Who shares with whom: tenants; where there are none, keys.
std::string_view sharer(const Identity& identity) {
    return identity.tenant.empty() ? identity.key_id : identity.tenant;
}

// What the request will presumably cost: the answer as long as it usually is, or as the client allows if that is less.
double expected_cost(const RequestContext& context, const Pool& pool) {
    const auto usual = static_cast<std::int64_t>(pool.balancer->usual_output_tokens());
    const std::int64_t output = std::min(usual, context.scan.max_tokens.value_or(usual));
    return fair_cost(estimated_tokens(context.scan.prompt_bytes), output);
}

}  // namespace

// Shared by the request and the gate, which wakes it from whatever thread frees a place.
struct AdmissionPlace::Waiter {
    explicit Waiter(const asio::any_io_executor& executor) : timer(executor) {}

    static void wake(const std::shared_ptr<Waiter>& self, AdmissionEnd end) {
        self->end.store(end);
        self->woken.store(true);
        asio::post(self->timer.get_executor(), [self]() { self->timer.cancel(); });
    }

    asio::steady_timer timer;  // Touched only on the request's loop.
    std::atomic<AdmissionEnd> end{};
    std::atomic<bool> woken{false};  // Set after `end`.
};

AdmissionPlace::~AdmissionPlace() {
    if (!admission_) return;
    context_.when_client_leaves = nullptr;
    if (ticket_ != 0) {  // It is torn down while it waits; a place that it got just now is used by nobody.
        if (admission_->gate.give_up(ticket_) || waiter_->end != AdmissionEnd::Admitted) return;
        admission_->gate.leave(who_, 0, clock_now());
        return;
    }
    const records::RequestRecord& record = context_.record();
    admission_->gate.leave(who_, fair_cost(record.prompt_tokens, record.completion_tokens), clock_now());
}

asio::awaitable<AdmissionEnd> AdmissionPlace::wait(SteadyTime until) {
    context_.when_client_leaves = [waiter = waiter_]() { waiter->timer.cancel(); };
    waiter_->timer.expires_at(until);
    while (!waiter_->woken && !context_.client_gone() && clock_now() < until) {
        (void)co_await waiter_->timer.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    context_.when_client_leaves = nullptr;
    if (!waiter_->woken && admission_->gate.give_up(ticket_)) {
        co_return context_.client_gone() ? AdmissionEnd::Left : AdmissionEnd::TimedOut;
    }
    co_return waiter_->end.load();  // Woken at the last moment, if not before.
}

asio::awaitable<std::optional<AdmissionRefusal>> AdmissionPlace::take(SteadyTime deadline) {
    const Pool& pool = *context_.route->pool;
    const std::shared_ptr<Admission> admission = pool.admission;
    const SteadyTime began = clock_now();
    who_ = {context_.identity->priority, sharer(*context_.identity), expected_cost(context_, pool), began, deadline};
    waiter_ = std::make_shared<Waiter>(co_await asio::this_coro::executor);
    auto entry =
        admission->gate.enter(who_, began, [waiter = waiter_](AdmissionEnd end) { Waiter::wake(waiter, end); });
    if (entry.ticket != 0) {
        admission_ = admission;
        ticket_ = entry.ticket;
        const Duration own = context_.route->deadlines.queue;
        entry.end = co_await wait(std::min(deadline, began + (own > Duration{0} ? own : admission->gate.timeout())));
        ticket_ = 0;
    }
    const bool admitted = entry.end == AdmissionEnd::Admitted;
    admission_ = admitted ? admission : nullptr;
    const SteadyTime now = clock_now();
    who_.since = now;
    if (entry.ticket != 0) context_.note_queued(now - began);
    const auto priority = static_cast<std::size_t>(who_.priority);
    if (admitted) {
        admission->series.wait[priority]->observe(std::chrono::duration<double>(now - began).count());
        co_return std::nullopt;
    }
    admission->series.refused[priority][static_cast<std::size_t>(entry.end)]->add();
    co_return refusal(entry.end, now);
}

AdmissionRefusal AdmissionPlace::refusal(AdmissionEnd end, SteadyTime now) const {
    const Pool& pool = *context_.route->pool;
    AdmissionRefusal made;
    const AdmissionAdvice advice = pool.admission->gate.advice(who_, now);
    made.retry_after = advice.retry_after;
    const std::string where = "pool " + pool.name;
    if (end == AdmissionEnd::Left) {
        made.error = GatewayError::ClientClosed;
    } else if (end == AdmissionEnd::TooLong) {
        made.error = GatewayError::QueueTooLong;
        made.message = where + " has more waiting than can be served within the time for which a request may wait";
    } else if (end == AdmissionEnd::TimedOut) {
        made.error = GatewayError::QueueTimeout;
        made.message = where + " had no place within the time for which a request may wait";
    } else if (end == AdmissionEnd::Shed) {
        made.error = GatewayError::RequestShed;
        made.message = where + " is full, and the request made room for another one in its queue";
    } else {
        made.error = GatewayError::QueueFull;
        made.message = where + " is full, and so is its queue";
    }
    if (end != AdmissionEnd::Left && advice.over_share) {
        made.error = GatewayError::ShareExceeded;
        made.message += ", of which this tenant has more than its share";
    }
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(made.retry_after).count();
    made.message += "; by the pace of late there is a place in about " + std::to_string(seconds) + " s";
    return made;
}

void note_first_token(RequestContext& context, SteadyTime::duration after) {
    AdmissionGate& gate = context.route->pool->admission->gate;
    if (!gate.active()) return;
    gate.note_first_token(std::chrono::duration<double>(after).count(), context.estimate.new_tokens);
}

void note_whole_answer(RequestContext& context, SteadyTime::duration after, std::int64_t output_tokens) {
    AdmissionGate& gate = context.route->pool->admission->gate;
    if (!gate.active()) return;
    gate.note_whole_answer(std::chrono::duration<double>(after).count(), context.estimate.new_tokens, output_tokens);
}

}  // namespace stoker::gateway
