#include "gateway/cache/leader_exchange.h"

#include <boost/asio/post.hpp>
#include <utility>

namespace stoker::gateway {
namespace asio = boost::asio;

LeaderExchange::LeaderExchange(RequestContext& context, std::shared_ptr<Flight> flight, OnAnswer on_answer)
    : context_(context), client_(context.exchange()), flight_(std::move(flight)), on_answer_(std::move(on_answer)) {
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
    if (!std::exchange(ended_, true)) flight_->end(how);
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

asio::awaitable<Result<Unit>> LeaderExchange::respond(net::Response response) {
    started_ = true;
    const net::ResponseHead head{response.status, response.headers};
    const Flight::State how = on_answer_(head, response.body);
    flight_->begin(head);
    flight_->append(response.body);
    end(how);
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
    auto result = co_await client_.write(data);
    co_return sent(std::move(result));
}

asio::awaitable<Result<Unit>> LeaderExchange::finish() {
    if (!ended_) end(on_answer_(flight_->head(), {}));
    if (left_) co_return Unit{};
    auto result = co_await client_.finish();
    co_return sent(std::move(result));
}

void LeaderExchange::abort() {
    end(started_ ? Flight::State::Cut : Flight::State::Failed);
    client_.abort();
}

}  // namespace stoker::gateway
