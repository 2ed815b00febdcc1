#include "gateway/cache/follow.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "gateway/cache/cache_parts.h"
#include "gateway/hooks/scan_content.h"
#include "net/sse.h"
#include "wire/openai.h"

namespace stoker::gateway {
namespace asio = boost::asio;
namespace {

using State = Flight::State;

class Follower {
public:
    Follower(RequestContext& context, std::shared_ptr<Flight> flight, WaitTimer timer)
        : context_(context), flight_(std::move(flight)), timer_(std::move(timer)) {
        context_.take_step(context_.plan.steps.front());
        deadline_ = context_.received_at() + context_.route->deadlines.total;
        context_.exchange().on_client_gone([&context, timer = timer_]() {
            context.note_client_gone();
            timer->cancel();
        });
    }
    ~Follower() {
        flight_->leave(timer_);
        context_.watch_client();
    }
    Follower(const Follower&) = delete;
    Follower& operator=(const Follower&) = delete;

    asio::awaitable<Followed> run(bool last_round) {
        for (;;) {
            timer_->expires_at(deadline_);
            Flight::Look look = flight_->look(at_, timer_);
            if (context_.client_gone()) co_return leave();
            if (std::chrono::steady_clock::now() >= deadline_) co_return co_await too_late();
            if (look.state == State::Waiting) {
                co_await wait();
                continue;
            }
            if (look.lost && !begun_) co_return Followed::GoOn;
            const bool failed = look.state == State::Failed || (look.state == State::Cut && !begun_);
            if (failed && !begun_ && !last_round) co_return Followed::GoOn;
            if (failed && look.bytes.empty()) co_return Followed::GoOn;
            const bool over = look.state != State::Flowing;
            if (over && !begun_ && look.state != State::Cut) co_return co_await give_whole(std::move(look));
            if (look.lost) {
                co_return co_await cut(GatewayError::StreamCut, "the client reads too slowly to share the answer");
            }
            if (look.bytes.empty() && !over) {
                co_await wait();
                continue;
            }
            at_ += look.bytes.size();
            Inspected seen = inspect(std::move(look.bytes), over);
            if (!seen.verdict.allow) co_return co_await block(std::move(seen));
            if (look.state == State::Cut) {
                const bool begun = co_await begin();
                if (!begun) co_return leave();
                std::string cause = flight_->cause();
                if (cause.empty()) cause = info(GatewayError::StreamCut).code;
                co_return co_await cut_with(std::move(seen.bytes), cause);
            }
            const bool sent = co_await give(std::move(seen.bytes), over);
            if (!sent) co_return leave();
            if (over) co_return Followed::Settled;
        }
    }

private:
    asio::awaitable<void> wait() { (void)co_await timer_->async_wait(asio::as_tuple(asio::use_awaitable)); }

    net::Headers headers(const net::ResponseHead& head) {
        net::Headers headers;
        headers.add("content-type", std::string(head.headers.get("content-type").value_or("application/json")));
        if (const auto wait = head.headers.get("retry-after")) headers.add("retry-after", std::string(*wait));
        context_.passed(RequestContext::Stage::Queue);
        const auto model = head.headers.get("x-stoker-model");
        if (model) context_.record().model = *model;
        context_.note_cache(CacheStatus::Coalesced);
        add_marks(headers, context_.marks());
        return headers;
    }

    // What of a piece of the answer the client may have.
    struct Inspected {
        std::string bytes;
        ScanVerdict verdict{};
    };
    Inspected inspect(std::string bytes, bool last) {
        if (!std::exchange(inspected_, true)) scanner_ = scan_answer_of(context_, AnswerSource::Shared);
        Inspected seen;
        if (!scanner_) {
            seen.bytes = std::move(bytes);
            return seen;
        }
        if (!context_.scan.stream) {
            seen.verdict = scanner_->on_body(bytes);
            if (seen.verdict.allow) seen.bytes = std::move(bytes);
            return seen;
        }
        const auto look = [this, &seen](const net::SseEvent& event) {
            if (!seen.verdict.allow) return;
            if (!event.data.empty() && !wire::is_done(event.data)) seen.verdict = scanner_->on_event(event.data);
            if (seen.verdict.allow) seen.bytes += event.raw;
        };
        (void)events_.feed(bytes, look);
        if (last) events_.finish(look);
        return seen;
    }

    asio::awaitable<Followed> block(Inspected seen) {
        if (!begun_ && seen.bytes.empty()) {
            co_await context_.refuse(GatewayError::ContentBlocked, std::move(seen.verdict.reason));
            co_return Followed::Settled;
        }
        const bool begun = co_await begin();
        if (!begun) co_return leave();
        if (!seen.bytes.empty()) (void)co_await context_.exchange().write(seen.bytes);
        co_return co_await cut(GatewayError::ContentBlocked, std::move(seen.verdict.reason));
    }

    asio::awaitable<Followed> give_whole(Flight::Look look) {
        const net::ResponseHead head = flight_->head();
        if (look.state == State::Whole) {
            const bool harmless = co_await scan_answer(context_, AnswerSource::Shared, look.bytes);
            if (!harmless) co_return Followed::Settled;
        }
        note_made();
        net::Response response{head.status, headers(head), std::move(look.bytes)};
        const std::string cause = flight_->cause();
        co_await context_.respond(std::move(response), cause);
        co_return Followed::Settled;
    }

    asio::awaitable<bool> begin() {
        if (std::exchange(begun_, true)) co_return true;
        const net::ResponseHead head = flight_->head();
        net::ResponseHead own{head.status, headers(head)};
        const auto began = co_await context_.exchange().start(std::move(own));
        co_return began.has_value();
    }

    asio::awaitable<bool> give(std::string bytes, bool last) {
        const bool begun = co_await begin();
        if (!begun) co_return false;
        context_.count_response_bytes(bytes.size());
        if (last) {
            note_made();
            context_.settle(Outcome::Ok, 200, "");
            context_.account();
        }
        if (!bytes.empty()) {
            const auto sent = co_await context_.exchange().write(bytes);
            if (!sent) co_return false;
        }
        if (last) (void)co_await context_.exchange().finish();
        co_return true;
    }

    void note_made() {
        const Flight::Made made = flight_->made();
        context_.record().finish_reason = made.finish_reason;
        context_.core().cache.parts().metrics.count_saved(context_.record().model, made.prompt_tokens,
                                                          made.completion_tokens);
    }

    Followed leave() {
        context_.settle(Outcome::Cancelled, GatewayError::ClientClosed);
        return Followed::Settled;
    }

    asio::awaitable<Followed> too_late() {
        if (begun_) {
            co_return co_await cut(GatewayError::UpstreamTimeout, "the request took longer than its whole deadline");
        }
        co_await context_.refuse(GatewayError::UpstreamTimeout, "the request took longer than its whole deadline");
        co_return Followed::Settled;
    }

    // The leader's answer broke off, and this is the rest of what its client got: an event that says so.
    asio::awaitable<Followed> cut_with(std::string bytes, std::string_view code) {
        if (!bytes.empty()) (void)co_await context_.exchange().write(bytes);
        context_.exchange().abort();
        context_.settle(Outcome::Truncated, 200, code);
        co_return Followed::Settled;
    }

    asio::awaitable<Followed> cut(GatewayError error, std::string why) {
        std::string event;
        if (context_.scan.stream) event = error_event(error, why, context_.endpoint.dialect);
        co_return co_await cut_with(std::move(event), info(error).code);
    }

    RequestContext& context_;
    const std::shared_ptr<Flight> flight_;
    const WaitTimer timer_;
    SteadyTime deadline_{};
    std::size_t at_ = 0;  // Of the answer, how much the client was given.
    bool begun_ = false;
    bool inspected_ = false;
    std::unique_ptr<AnswerScanner> scanner_;  // Null: there is none, or not yet.
    net::SseParser events_;
};

}  // namespace

asio::awaitable<Followed> follow(RequestContext& context, std::shared_ptr<Flight> flight, bool last_round) {
    const auto executor = co_await asio::this_coro::executor;
    Follower follower(context, std::move(flight), std::make_shared<asio::steady_timer>(executor));
    const Followed followed = co_await follower.run(last_round);
    co_return followed;
}

}  // namespace stoker::gateway
