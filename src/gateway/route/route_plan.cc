#include "gateway/route/route_plan.h"

#include <random>
#include <utility>

#include "gateway/models.h"
#include "gateway/request_context.h"

namespace stoker::gateway {
namespace asio = boost::asio;

void RoutePlan::add(const ModelRoute& route, const ModelBounds& allowed) {
    steps.reserve(steps.size() + 1 + route.fallback.size());
    steps.push_back({&route, {}});
    for (const RouteStep& fallback : route.fallback) {
        if (!fallback.allowed_only || allowed.allow(fallback.route->model)) steps.push_back(fallback);
    }
}

namespace {

// A model, or the base model of an adapter.
const ModelRoute* find_model(RoutePlan& plan, std::string_view name) {
    if (const ModelRoute* route = plan.table->find(name)) return route;
    const ModelRoute* base = plan.table->find_adapter(name);
    if (base != nullptr) plan.adapter = name;
    return base;
}

const ModelRoute* choose(RequestContext& context) {
    thread_local std::minstd_rand generator{std::random_device{}()};
    const double point = std::uniform_real_distribution<double>(0, 1)(generator);
    RoutePlan& plan = context.plan;
    const RouteChoice choice = plan.table->routing().choose(question_of(context), point);
    plan.rule = choice.rule;
    plan.split = choice.split;
    plan.arm = choice.arm;
    plan.sample = choice.sample;
    context.record().rule = choice.rule;
    context.record().split = choice.split;
    context.record().arm = choice.arm;
    const ModelRoute* route = plan.table->find(choice, context.scan.model);
    return route != nullptr ? route : find_model(plan, choice.model);
}

}  // namespace

RouteQuestion question_of(RequestContext& context) {
    const net::RequestHead& head = context.exchange().request();
    return {.model = context.scan.model,
            .path = head.path(),
            .headers = head.headers,
            .identity = *context.identity,
            .prompt_tokens = estimated_tokens(context.scan.prompt_bytes),
            .user = user_of(context.scan, context.body),
            .now = now()};
}

std::string_view user_of(const wire::RequestScan& scan, std::string_view body) {
    if (scan.user_value.size() < 2) return {};
    return body.substr(scan.user_value.begin + 1, scan.user_value.size() - 2);
}

asio::awaitable<bool> plan_route(RequestContext& context) {
    RoutePlan& plan = context.plan;
    plan.table = context.core().routes.get();
    const ModelRoute* route = plan.table->routing().empty() ? find_model(plan, context.scan.model) : choose(context);
    if (route == nullptr) {
        co_await refuse_model(context, *plan.table, context.scan.model);
        co_return false;
    }
    plan.add(*route, context.identity->models);
    co_return true;
}

}  // namespace stoker::gateway
