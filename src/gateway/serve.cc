#include "gateway/serve.h"

#include <array>
#include <utility>

#include "base/text.h"
#include "gateway/forward.h"

namespace stoker::gateway {
namespace asio = boost::asio;
namespace {

struct Endpoint {
    std::string_view path;
    bool can_stream_usage;  // Knows stream_options.include_usage.
};

constexpr std::array kEndpoints = {
    Endpoint{"/v1/chat/completions", true},
    Endpoint{"/v1/completions", true},
    Endpoint{"/v1/embeddings", false},
};

constexpr std::string_view kModels = "/v1/models";

const Endpoint* find_endpoint(std::string_view path) {
    for (const Endpoint& endpoint : kEndpoints) {
        if (endpoint.path == path) return &endpoint;
    }
    return nullptr;
}

std::string model_json(const std::string& model) {
    return R"({"id":)" + quote_json(model) + R"(,"object":"model","created":0,"owned_by":"stoker"})";
}

std::string models_json(const std::vector<std::string>& models) {
    std::string text = R"({"object":"list","data":[)";
    for (const std::string& model : models) {
        if (text.back() == '}') text += ',';
        text += model_json(model);
    }
    return text + "]}";
}

net::Response json_response() {
    net::Response response;
    response.headers.add("content-type", "application/json");
    return response;
}

asio::awaitable<void> refuse_model(RequestContext& context, const RouteTable& table, std::string_view model) {
    constexpr std::size_t kMostShown = 200;
    std::string message = "the model '" + std::string(model.substr(0, kMostShown)) + "' does not exist here";
    const auto near = table.suggestions(model);
    if (!near.empty()) message += "; there is " + join(near, ", ");
    co_await context.refuse(GatewayError::ModelNotFound, std::move(message), {}, "model");
}

asio::awaitable<void> refuse_method(RequestContext& context, std::string allowed) {
    const net::RequestHead& head = context.exchange().request();
    std::string message = std::string(head.path()) + " takes " + allowed + ", not " + head.method;
    net::Headers headers;
    headers.add("allow", std::move(allowed));
    co_await context.refuse(GatewayError::MethodNotAllowed, std::move(message), std::move(headers));
}

// GET /v1/models and /v1/models/NAME, from the configuration: what can be asked for, whoever is up.
asio::awaitable<void> serve_models(RequestContext& context, std::string_view path) {
    if (context.exchange().request().method != "GET") co_return co_await refuse_method(context, "GET");
    const auto table = context.core().routes.get();
    net::Response response = json_response();
    if (path.size() <= kModels.size() + 1) {
        response.body = models_json(table->models());
    } else {
        const std::string_view model = path.substr(kModels.size() + 1);
        if (table->find(model) == nullptr) co_return co_await refuse_model(context, *table, model);
        response.body = model_json(std::string(model));
    }
    add_marks(response.headers, context.marks());
    co_await context.respond(std::move(response));
}

// Reads the body into the context; false if that failed, and the request is settled.
asio::awaitable<bool> read_body(RequestContext& context) {
    const std::size_t limit = context.core().options.max_body_bytes;
    auto body = co_await context.exchange().read_body(limit);
    if (body) {
        context.note_body(*std::move(body));
        co_return true;
    }
    switch (body.error().code) {
        case Errc::ResourceExhausted:
            co_await context.refuse(GatewayError::BodyTooLarge,
                                    "the body is longer than " + std::to_string(limit) + " bytes");
            break;
        case Errc::DeadlineExceeded:
            co_await context.refuse(GatewayError::RequestTimeout, "the body did not come in time");
            break;
        default:
            context.settle(Outcome::Cancelled, GatewayError::ClientClosed);
    }
    co_return false;
}

asio::awaitable<void> refuse_body(RequestContext& context, const Error& error) {
    switch (static_cast<wire::RequestFault>(error.detail)) {
        case wire::RequestFault::MissingModel:
            co_return co_await context.refuse(GatewayError::MissingModel, error.message, {}, "model");
        case wire::RequestFault::WrongType:
            co_return co_await context.refuse(GatewayError::InvalidRequest, error.message);
        default:
            co_return co_await context.refuse(GatewayError::InvalidJson, error.message);
    }
}

asio::awaitable<void> serve_endpoint(RequestContext& context, const Endpoint& endpoint) {
    if (context.exchange().request().method != "POST") co_return co_await refuse_method(context, "POST");
    const bool whole = co_await read_body(context);
    if (!whole) co_return;
    auto scan = wire::scan_request(context.body);
    if (!scan) co_return co_await refuse_body(context, scan.error());
    context.scan = *std::move(scan);
    context.record().stream = context.scan.stream;
    context.plan.table = context.core().routes.get();
    const ModelRoute* route = context.plan.table->find(context.scan.model);
    if (route == nullptr) co_return co_await refuse_model(context, *context.plan.table, context.scan.model);
    context.plan.steps.push_back({route, {}});
    context.asks_usage = context.scan.stream && endpoint.can_stream_usage &&
                         context.scan.usage != wire::UsageAsk::Asked && context.scan.usage != wire::UsageAsk::Unusable;
    context.watch_client();
    co_await forward(context);
}

}  // namespace

asio::awaitable<void> serve(RequestContext& context) {
    const std::string path(context.exchange().request().path());
    if (const Endpoint* endpoint = find_endpoint(path)) co_return co_await serve_endpoint(context, *endpoint);
    if (path == kModels || path.starts_with(std::string(kModels) + "/")) co_return co_await serve_models(context, path);
    if (path == "/health") {  // For whatever balances between gateways.
        net::Response response = json_response();
        response.body = R"({"status":"ok"})";
        co_return co_await context.respond(std::move(response));
    }
    constexpr std::size_t kMostShown = 200;
    co_await context.refuse(GatewayError::UnknownPath, "there is nothing at " + path.substr(0, kMostShown));
}

}  // namespace stoker::gateway
