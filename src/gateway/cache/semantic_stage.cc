#include "gateway/cache/semantic_stage.h"

#include <boost/asio/steady_timer.hpp>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "gateway/batch/inner_request.h"
#include "gateway/cache/semantic_text.h"

namespace stoker::gateway {
namespace asio = boost::asio;

asio::awaitable<std::vector<float>> embed(RequestContext& context, std::string model, std::string text) {
    constexpr std::chrono::seconds kPatience{2};
    constexpr std::string_view kPath = "/v1/embeddings";
    RoutePlan plan;
    plan.table = context.core().routes.get();
    const ModelRoute* route = plan.table->find(model);
    if (route == nullptr) co_return std::vector<float>();
    plan.add(*route, {});
    net::RequestHead head;
    head.method = "POST";
    head.target = kPath;
    head.headers.add("content-type", "application/json");
    InnerRequest request(context, std::move(head),
                         R"({"model":)" + quote_json(model) + R"(,"input":)" + quote_json(text) + "}", std::move(plan),
                         Endpoint{kPath, wire::Dialect::Chat});
    asio::steady_timer patience(context.loop().loop, kPatience);
    const auto give_up = [end = request.give_up_later()](const boost::system::error_code& error) {
        if (!error) end();
    };
    patience.async_wait(give_up);
    const InnerAnswer answer = co_await request.run();
    patience.cancel();
    std::vector<float> embedding;
    if (answer.response && answer.response->status == 200) embedding = read_embedding(answer.response->body);
    if (embedding.empty()) {
        log::debug("no embedding for the semantic cache", {{"request_id", context.id()}, {"model", model}});
    }
    co_return embedding;
}

}  // namespace stoker::gateway
