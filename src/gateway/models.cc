#include "gateway/models.h"

#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "gateway/auth/authenticate.h"
#include "gateway/headers.h"

namespace stoker::gateway {
namespace asio = boost::asio;
namespace {

constexpr std::string_view kModels = "/v1/models";

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

// The models that the sender may use.
std::vector<std::string> visible_models(const RequestContext& context, const std::vector<std::string>& models) {
    std::vector<std::string> visible;
    for (const std::string& model : models) {
        if (context.identity->models.allow(model)) visible.push_back(model);
    }
    return visible;
}

}  // namespace

bool is_models_path(std::string_view path) {
    return path == kModels || (path.starts_with(kModels) && path[kModels.size()] == '/');
}

asio::awaitable<void> refuse_model(RequestContext& context, const RouteTable& table, std::string_view model) {
    constexpr std::size_t kMostShown = 200;
    std::string message = "the model '" + std::string(model.substr(0, kMostShown)) + "' does not exist here";
    const auto near = visible_models(context, table.suggestions(model));
    if (!near.empty()) message += "; there is " + join(near, ", ");
    co_await context.refuse(GatewayError::ModelNotFound, std::move(message), {}, "model");
}

asio::awaitable<void> serve_models(RequestContext& context, std::string_view path) {
    const auto table = context.core().routes.get();
    net::Response response;
    response.headers.add("content-type", "application/json");
    if (path.size() <= kModels.size() + 1) {
        response.body = models_json(visible_models(context, table->models()));
    } else {
        const std::string_view model = path.substr(kModels.size() + 1);
        const bool allowed = co_await authorize_model(context, model);
        if (!allowed) co_return;
        if (!table->knows(model)) co_return co_await refuse_model(context, *table, model);
        response.body = model_json(std::string(model));
    }
    add_marks(response.headers, context.marks());
    co_await context.respond(std::move(response));
}

}  // namespace stoker::gateway
