#include "gateway/batch/inner_exchange.h"

#include <utility>

namespace stoker::gateway {
namespace asio = boost::asio;

asio::awaitable<Result<std::string>> InnerExchange::read_body(std::size_t) {
    co_return std::string();
}

asio::awaitable<Result<std::string_view>> InnerExchange::read_some() {
    co_return std::string_view();
}

asio::awaitable<Result<Unit>> InnerExchange::respond(net::Response response) {
    answer_ = std::move(response);
    whole_ = true;
    co_return Unit{};
}

asio::awaitable<Result<Unit>> InnerExchange::start(net::ResponseHead head) {
    answer_ = net::Response{head.status, std::move(head.headers), {}};
    co_return Unit{};
}

asio::awaitable<Result<Unit>> InnerExchange::write(std::string_view data) {
    if (answer_->body.size() + data.size() > most_) {
        co_return Error{Errc::Cancelled, "the answer is longer than anybody waits for"};
    }
    answer_->body.append(data);
    co_return Unit{};
}

asio::awaitable<Result<Unit>> InnerExchange::finish() {
    whole_ = true;
    co_return Unit{};
}

void InnerExchange::give_up() {
    given_up_ = true;
    if (gone_) std::exchange(gone_, {})();
}

std::optional<net::Response> InnerExchange::take_answer() {
    if (!whole_) return {};
    return std::move(answer_);
}

}  // namespace stoker::gateway
