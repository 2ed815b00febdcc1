// The exchange of a request that the gateway makes itself: what was asked is given, what is answered is kept.
//
// Lives in the frame that makes the request, on its loop.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "net/server.h"

namespace stoker::gateway {

class InnerExchange final : public net::Exchange {
public:
    // Answers longer than `most` are given up.
    InnerExchange(net::RequestHead head, std::size_t most)
        : head_(std::move(head)), most_(most), received_at_(std::chrono::steady_clock::now()) {}

    const net::RequestHead& request() const override { return head_; }
    SteadyTime received_at() const override { return received_at_; }
    boost::asio::awaitable<Result<std::string>> read_body(std::size_t limit) override;
    boost::asio::awaitable<Result<std::string_view>> read_some() override;
    boost::asio::awaitable<Result<Unit>> respond(net::Response response) override;
    boost::asio::awaitable<Result<Unit>> start(net::ResponseHead head) override;
    boost::asio::awaitable<Result<Unit>> write(std::string_view data) override;
    boost::asio::awaitable<Result<Unit>> finish() override;
    void abort() override { whole_ = false; }
    bool started() const override { return answer_.has_value(); }
    void on_client_gone(std::function<void()> gone) override { gone_ = std::move(gone); }
    bool client_gone() const override { return given_up_; }

    // Nobody wants the answer any more.
    void give_up();
    // The whole answer; empty if none came.
    std::optional<net::Response> take_answer();

private:
    const net::RequestHead head_;
    const std::size_t most_;
    const SteadyTime received_at_;
    std::function<void()> gone_;
    std::optional<net::Response> answer_;
    bool whole_ = false;
    bool given_up_ = false;
};

}  // namespace stoker::gateway
