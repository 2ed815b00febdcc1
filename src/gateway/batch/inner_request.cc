#include "gateway/batch/inner_request.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "gateway/forward.h"

namespace stoker::gateway {
namespace asio = boost::asio;

InnerRequest::InnerRequest(RequestContext& context, net::RequestHead head, std::string body, RoutePlan plan,
                           Endpoint endpoint)
    : loop_(context.loop().loop),
      exchange_(std::move(head), context.core().options.max_body_bytes),
      inner_(context.core().shared_from_this(), context.loop(), exchange_),
      alive_(std::make_shared<InnerExchange*>(&exchange_)) {
    inner_.make_inner();
    inner_.endpoint = endpoint;
    inner_.identity = context.identity;
    inner_.withhold_credentials = context.withhold_credentials;
    inner_.degradation = context.degradation;
    inner_.plan = std::move(plan);
    inner_.plan.sample = nullptr;  // Whoever it is made for is counted there.
    const std::size_t bytes = body.size();
    inner_.note_body(std::move(body), bytes);
    auto scan = wire::scan_request(inner_.body);
    if (scan) inner_.scan = *std::move(scan);
    inner_.watch_client();
}

asio::awaitable<InnerAnswer> InnerRequest::run() {
    co_await forward(inner_);
    InnerAnswer answer;
    answer.response = exchange_.take_answer();
    answer.record = inner_.record();
    co_return answer;
}

std::function<void()> InnerRequest::give_up_later() {
    return [&loop = loop_, weak = std::weak_ptr<InnerExchange*>(alive_)]() {
        asio::post(loop, [weak]() {
            if (const auto exchange = weak.lock()) (*exchange)->give_up();
        });
    };
}

}  // namespace stoker::gateway
