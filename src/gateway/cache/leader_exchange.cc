#include "gateway/cache/leader_exchange.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "base/log.h"

namespace stoker::gateway {
namespace asio = boost::asio;

LeaderExchange::LeaderExchange(RequestContext& context, std::shared_ptr<Flight> flight, std::size_t most,
                               OnAnswer on_answer)
    : context_(context),
      client_(context.exchange()),
      flight_(std::move(flight)),
      most_(most),
      on_answer_(std::move(on_answer)),
      timer_(std::make_shared<asio::steady_timer>(context.loop().loop)) {
    context_.use_exchange(*this);
    context_.watch_client();
}

LeaderExchange::~LeaderExchange() {
    end(started_ ? Flight::State::Cut : Flight::State::Failed);
    *gone_ = {};
    flight_->drop_abandoned();
    client_.on_client_gone({});
    context_.use_exchange(client_);
}

void LeaderExchange::end(Flight::State how) {
    if (!std::exchange(ended_, true)) flight_->end(how, context_.cause());
}

void LeaderExchange::on_client_gone(std::function<void()> gone) {
    const bool watching = static_cast<bool>(gone);
    *gone_ = std::move(gone);
    if (watching) {
        client_.on_client_gone([this]() { client_left(); });
    } else {
        client_.on_client_gone({});
    }
}

// Its own record says that the client left; the answer goes on for those who follow, and ends when they all are gone.
void LeaderExchange::client_left() {
    if (std::exchange(left_, true)) return;
    auto& loop = context_.loop().loop;
    auto abandoned = [&loop, weak = std::weak_ptr<std::function<void()>>(gone_)]() {
        asio::post(loop, [weak]() {
            const auto gone = weak.lock();
            if (gone && *gone) std::exchange(*gone, {})();
        });
    };
    if (!flight_->leader_left(std::move(abandoned))) return context_.note_left_early();
    if (*gone_) std::exchange(*gone_, {})();
}

// What the client's connection said of a write. Nobody else's answer ends for it.
Result<Unit> LeaderExchange::sent(Result<Unit> result) {
    if (result) return result;
    client_left();
    if (flight_->followers() > 0) return Unit{};
    return result;
}

asio::awaitable<void> LeaderExchange::wait() {
    timer_->expires_at(SteadyTime::max());
    (void)co_await timer_->async_wait(asio::as_tuple(asio::use_awaitable));
}

asio::awaitable<void> LeaderExchange::pump() {
    while (!pending_.empty() && !write_error_) {
        const std::string piece = std::exchange(pending_, {});
        auto written = co_await client_.write(piece);
        if (!written) write_error_ = written.error();
    }
    pumping_ = false;
    timer_->cancel();
}

// As long as nobody follows, the answer comes no faster than its client takes it.
asio::awaitable<Result<Unit>> LeaderExchange::pass_on(std::string_view data) {
    const std::size_t behind = pending_.size();
    pending_ += data;
    if (!pumping_ && !pending_.empty()) {
        pumping_ = true;
        asio::co_spawn(context_.loop().loop, pump(), asio::detached);
    }
    while (pumping_ && flight_->alone(timer_)) co_await wait();
    flight_->forget(timer_);
    if (pumping_ && behind > most_) {
        log::info("a client reads too slowly to share its answer with others",
                  {{"request_id", context_.id()}, {"behind_bytes", behind}});
        client_.abort();
        write_error_ = Error{Errc::DeadlineExceeded, "the client reads too slowly to share the answer"};
    }
    if (write_error_) co_return sent(*write_error_);
    co_return Unit{};
}

asio::awaitable<void> LeaderExchange::drained() {
    while (pumping_) co_await wait();
}

asio::awaitable<Result<Unit>> LeaderExchange::respond(net::Response response) {
    started_ = true;
    const net::ResponseHead head{response.status, response.headers};
    const Flight::State how = on_answer_(head, response.body);
    if (!std::exchange(ended_, true)) flight_->end_with(head, response.body, how, context_.cause());
    if (left_) co_return Unit{};
    auto result = co_await client_.respond(std::move(response));
    co_return sent(std::move(result));
}

asio::awaitable<Result<Unit>> LeaderExchange::start(net::ResponseHead head) {
    started_ = true;
    flight_->begin(head);
    if (left_) co_return Unit{};
    auto result = co_await client_.start(std::move(head));
    co_return sent(std::move(result));
}

asio::awaitable<Result<Unit>> LeaderExchange::write(std::string_view data) {
    if (context_.settled() && !ended_) {
        const Flight::State how = on_answer_(flight_->head(), std::string(data));
        flight_->append(data);
        end(how);
    } else {
        flight_->append(data);
    }
    if (left_) co_return Unit{};
    co_return co_await pass_on(data);
}

asio::awaitable<Result<Unit>> LeaderExchange::finish() {
    if (!ended_) end(on_answer_(flight_->head(), {}));
    co_await drained();
    if (write_error_) co_return sent(*write_error_);
    if (left_) co_return Unit{};
    auto result = co_await client_.finish();
    co_return sent(std::move(result));
}

void LeaderExchange::abort() {
    end(started_ ? Flight::State::Cut : Flight::State::Failed);
    client_.abort();
}

}  // namespace stoker::gateway
