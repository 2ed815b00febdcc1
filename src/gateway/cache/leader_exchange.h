// The exchange of a request whose answer others share, or that is to be kept: passes everything on to the client, and
// keeps it in a Flight.
//
// Lives in the frame that forwards the request, on its loop. While others follow, its own client may leave without the
// answer being cut off, and the answer does not wait for it: what it has not taken yet is kept for it, up to a bound,
// past which it is cut.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/cache/flight.h"
#include "gateway/request_context.h"

namespace stoker::gateway {

class LeaderExchange final : public net::Exchange {
public:
    // Decides what the answer was, once: called when nothing is missing of it but its last bytes, and the request is
    // settled; before the client sees them. Gets all that the client gets.
    using OnAnswer = std::function<Flight::State(const net::ResponseHead& head, const std::string& last)>;

    // Stands in for the context's exchange until it is destroyed, which ends the flight. All outlive it. `most`: how
    // many bytes its client may be behind the others.
    LeaderExchange(RequestContext& context, std::shared_ptr<Flight> flight, std::size_t most, OnAnswer on_answer);
    ~LeaderExchange() override;
    LeaderExchange(const LeaderExchange&) = delete;
    LeaderExchange& operator=(const LeaderExchange&) = delete;

    const net::RequestHead& request() const override { return client_.request(); }
    SteadyTime received_at() const override { return client_.received_at(); }
    boost::asio::awaitable<Result<std::string>> read_body(std::size_t limit) override {
        return client_.read_body(limit);
    }
    boost::asio::awaitable<Result<std::string_view>> read_some() override { return client_.read_some(); }

    // Until its client has all that it is to get, or has left. REQUIRES: before it is destroyed.
    boost::asio::awaitable<void> drained();

    boost::asio::awaitable<Result<Unit>> respond(net::Response response) override;
    boost::asio::awaitable<Result<Unit>> start(net::ResponseHead head) override;
    boost::asio::awaitable<Result<Unit>> write(std::string_view data) override;
    boost::asio::awaitable<Result<Unit>> finish() override;
    void abort() override;
    bool started() const override { return started_; }
    void on_client_gone(std::function<void()> gone) override;
    bool client_gone() const override { return client_.client_gone() && flight_->followers() == 0; }

private:
    void client_left();
    boost::asio::awaitable<Result<Unit>> pass_on(std::string_view data);
    boost::asio::awaitable<void> pump();
    boost::asio::awaitable<void> wait();
    bool client_stays() const { return !left_ && !client_.client_gone(); }
    Result<Unit> sent(Result<Unit> result);
    void end(Flight::State how);

    RequestContext& context_;
    net::Exchange& client_;
    const std::shared_ptr<Flight> flight_;
    const std::size_t most_;
    const OnAnswer on_answer_;
    const WaitTimer timer_;  // For whoever waits for the pump, or for followers.
    std::string pending_;    // Of the answer, what the client is still to get.
    bool pumping_ = false;   // Bytes are on their way to it.
    std::optional<Error> write_error_;
    // Shared with what leave() may still post to this loop.
    const std::shared_ptr<std::function<void()>> gone_ = std::make_shared<std::function<void()>>();
    bool started_ = false;
    bool left_ = false;  // The client, and the answer goes on without it.
    bool ended_ = false;
};

}  // namespace stoker::gateway
