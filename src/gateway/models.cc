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

// `parent` is an adapter's base model; empty: it is none.
std::string model_json(const std::string& model, const std::string& parent = {}) {
    std::string text = R"({"id":)" + quote_json(model) + R"(,"object":"model","created":0,"owned_by":"stoker")";
    if (!parent.empty()) text += R"(,"parent":)" + quote_json(parent);
    return text + "}";
}

std::string models_json(const std::vector<std::string>& models, const std::vector<RouteTable::Adapter>& adapters) {
    std::string text = R"({"object":"list","data":[)";
    const auto add = [&text](const std::string& model) {
        if (text.back() == '}') text += ',';
        text += model;
    };
    for (const std::string& model : models) add(model_json(model));
    for (const auto& [name, model] : adapters) add(model_json(name, model));
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
        auto adapters = table->adapters();
        std::erase_if(adapters, [&](const auto& each) { return !context.identity->models.allow(each.name); });
        response.body = models_json(visible_models(context, table->models()), adapters);
    } else {
        const std::string_view model = path.substr(kModels.size() + 1);
        const bool allowed = co_await authorize_model(context, model);
        if (!allowed) co_return;
        const ModelRoute* base = table->knows(model) ? nullptr : table->find_adapter(model);
        if (base == nullptr && !table->knows(model)) co_return co_await refuse_model(context, *table, model);
        response.body = model_json(std::string(model), base == nullptr ? std::string() : base->model);
    }
    add_marks(response.headers, context.marks());
    co_await context.respond(std::move(response));
}

}  // namespace stoker::gateway
