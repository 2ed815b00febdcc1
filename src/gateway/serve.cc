#include "gateway/serve.h"

#include <string>
#include <utility>

#include "gateway/auth/authenticate.h"
#include "gateway/cache/cache_stage.h"
#include "gateway/degrade/degrade.h"
#include "gateway/endpoint.h"
#include "gateway/hooks/scan_content.h"
#include "gateway/limit/limit_stage.h"
#include "gateway/models.h"
#include "gateway/request_body.h"
#include "gateway/route/stored_response.h"

namespace stoker::gateway {
namespace asio = boost::asio;
namespace {

asio::awaitable<void> refuse_method(RequestContext& context, std::string allowed) {
    const net::RequestHead& head = context.exchange().request();
    std::string message = std::string(head.path()) + " takes " + allowed + ", not " + head.method;
    net::Headers headers;
    headers.add("allow", std::move(allowed));
    co_await context.refuse(GatewayError::MethodNotAllowed, std::move(message), std::move(headers));
}

asio::awaitable<void> refuse_path(RequestContext& context) {
    constexpr std::size_t kMostShown = 200;
    const std::string_view path = context.exchange().request().path();
    co_await context.refuse(GatewayError::UnknownPath,
                            "there is nothing at " + std::string(path.substr(0, kMostShown)));
}

void decide_usage(RequestContext& context) {
    context.asks_usage = context.scan.stream && context.endpoint.can_stream_usage &&
                         context.scan.usage != wire::UsageAsk::Asked && context.scan.usage != wire::UsageAsk::Unusable;
}

// The way of a request. Each stage is one line here and a file of its own; false means that it has settled the request.
asio::awaitable<void> serve_endpoint(RequestContext& context) {
    const bool known = co_await authenticate(context);
    if (!known) co_return;
    const bool read = co_await read_request(context);
    if (!read) co_return;
    context.passed(RequestContext::Stage::Receive);
    const bool allowed = co_await authorize_model(context, context.scan.model);
    if (!allowed) co_return;
    const bool harmless = co_await scan_content(context);
    if (!harmless) co_return;
    const bool planned = co_await plan_route(context);
    if (!planned) co_return;
    const bool served = co_await degrade(context);
    if (!served) co_return;
    context.passed(RequestContext::Stage::Route);
    decide_usage(context);
    const bool within_limits = co_await reserve_limits(context);
    if (!within_limits) co_return;
    context.passed(RequestContext::Stage::Limit);
    context.watch_client();
    co_await answer_or_forward(context);
}

asio::awaitable<void> serve_health(RequestContext& context) {  // For whatever balances between gateways.
    net::Response response;
    response.headers.add("content-type", "application/json");
    response.body = R"({"status":"ok"})";
    co_await context.respond(std::move(response));
}

}  // namespace

asio::awaitable<void> serve(RequestContext& context) {
    const net::RequestHead& head = context.exchange().request();
    const std::string path(head.path());
    if (is_models_path(path)) {
        if (head.method != "GET") co_return co_await refuse_method(context, "GET");
        const bool known = co_await authenticate(context);
        if (!known) co_return;
        co_return co_await serve_models(context, path);
    }
    if (path == "/health") co_return co_await serve_health(context);
    if (auto stored = stored_path(path)) {
        context.endpoint = {{}, wire::Dialect::Responses};
        const std::string allowed = " " + std::string(stored->methods) + ",";
        if (allowed.find(" " + head.method + ",") == std::string::npos) {
            co_return co_await refuse_method(context, std::string(stored->methods));
        }
        co_return co_await serve_stored_response(context, *std::move(stored));
    }
    const auto endpoint = find_endpoint(path);
    context.endpoint = endpoint.value_or(Endpoint{{}, error_dialect(path)});
    if (!endpoint) co_return co_await refuse_path(context);
    if (head.method == "POST") co_return co_await serve_endpoint(context);
    // Of a path that is in no table nothing is known, not even that it takes POST.
    if (endpoint->path.empty()) co_return co_await refuse_path(context);
    co_await refuse_method(context, "POST");
}

}  // namespace stoker::gateway
