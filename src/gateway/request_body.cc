#include "gateway/request_body.h"

#include <string>
#include <utility>

namespace stoker::gateway {
namespace asio = boost::asio;
namespace {

asio::awaitable<void> refuse_unread(RequestContext& context, const Error& error) {
    switch (error.code) {
        case Errc::ResourceExhausted:
            co_return co_await context.refuse(
                GatewayError::BodyTooLarge,
                "the body is longer than " + std::to_string(context.core().options.max_body_bytes) + " bytes");
        case Errc::DeadlineExceeded:
            co_return co_await context.refuse(GatewayError::RequestTimeout, "the body did not come in time");
        default:
            context.settle(Outcome::Cancelled, GatewayError::ClientClosed);
    }
}

asio::awaitable<void> refuse_body(RequestContext& context, const Error& error) {
    constexpr std::size_t kMostShown = 200;
    if (context.endpoint.path.empty()) {  // Nothing but a model's name would have made this an endpoint.
        co_return co_await context.refuse(GatewayError::UnknownPath,
                                          "there is nothing at " +
                                              std::string(context.exchange().request().path().substr(0, kMostShown)) +
                                              " for a request that names no model: " + error.message);
    }
    switch (static_cast<wire::RequestFault>(error.detail)) {
        case wire::RequestFault::MissingModel:
            co_return co_await context.refuse(GatewayError::MissingModel, error.message, {}, "model");
        case wire::RequestFault::WrongType:
            co_return co_await context.refuse(GatewayError::InvalidRequest, error.message);
        default:
            co_return co_await context.refuse(GatewayError::InvalidJson, error.message);
    }
}

}  // namespace

asio::awaitable<bool> read_request(RequestContext& context) {
    auto body = co_await context.exchange().read_body(context.core().options.max_body_bytes);
    if (!body) {
        co_await refuse_unread(context, body.error());
        co_return false;
    }
    context.note_body(*std::move(body));
    auto scan = wire::scan_request(context.body);
    if (!scan) {
        co_await refuse_body(context, scan.error());
        co_return false;
    }
    context.scan = *std::move(scan);
    context.record().stream = context.scan.stream;
    co_return true;
}

}  // namespace stoker::gateway
