#include "gateway/route_plan.h"

#include <utility>

#include "gateway/models.h"
#include "gateway/request_context.h"

namespace stoker::gateway {
namespace asio = boost::asio;

void RoutePlan::add(const ModelRoute& route) {
    steps.reserve(steps.size() + 1 + route.fallback.size());
    steps.push_back({&route, {}});
    steps.insert(steps.end(), route.fallback.begin(), route.fallback.end());
}

asio::awaitable<bool> plan_route(RequestContext& context) {
    RoutePlan& plan = context.plan;
    plan.table = context.core().routes.get();
    const ModelRoute* route = plan.table->find(context.scan.model);
    if (route == nullptr) {
        co_await refuse_model(context, *plan.table, context.scan.model);
        co_return false;
    }
    plan.add(*route);
    co_return true;
}

}  // namespace stoker::gateway
