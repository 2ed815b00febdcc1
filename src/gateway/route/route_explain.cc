#include "gateway/route/route_explain.h"

#include <nlohmann/json.hpp>
#include <random>
#include <utility>

#include "base/text.h"
#include "gateway/balance/balance.h"
#include "gateway/route/route_plan.h"
#include "wire/openai.h"

namespace stoker::gateway {
namespace {

using nlohmann::json;

// The question with everything that RouteQuestion only views.
struct Asked {
    std::string model;
    std::string path = "/v1/chat/completions";
    std::string user;
    std::string quoted_user;  // As the balancer sees it, which takes it from the body as it stands.
    std::string prompt;       // As written, if there was a body.
    net::Headers headers;
    Identity identity;
    bool unknown_tenant = false;
    std::int64_t prompt_tokens = 0;
    Timestamp time = now();
    double point = 0;

    RouteQuestion question() const {
        return {.model = model,
                .path = path,
                .headers = headers,
                .identity = identity,
                .prompt_tokens = prompt_tokens,
                .user = user,
                .now = time};
    }
};

std::string text_of(const json& object, const char* key, std::string fallback = {}) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::move(fallback);
}

Result<Unit> read_body(const json& body, Asked& asked) {
    const std::string text = body.dump();
    auto scan = wire::scan_request(text);
    if (!scan) return std::move(scan).error().context("body");
    asked.model = scan->model;
    asked.prompt = scan->prompt_value.of(text);
    asked.prompt_tokens = estimated_tokens(scan->prompt_bytes);
    asked.user = user_of(*scan, text);
    return Unit{};
}

Result<Asked> read(const Keyring& keys, std::string_view question) {
    const json given = json::parse(question, nullptr, false);
    if (!given.is_object()) return Error{Errc::InvalidArgument, "the question must be a JSON object"};
    Asked asked;
    std::random_device random;
    asked.point = std::uniform_real_distribution<double>(0, 1)(random);
    if (given.contains("body")) TRY_UNIT(read_body(given["body"], asked));
    asked.model = text_of(given, "model", asked.model);
    asked.path = text_of(given, "path", asked.path);
    asked.user = text_of(given, "user", asked.user);
    if (!asked.user.empty()) asked.quoted_user = quote_json(asked.user);
    const std::string tenant = text_of(given, "tenant");
    const auto known = tenant.empty() ? nullptr : keys.tenant(tenant);
    if (known) asked.identity = *known;
    asked.unknown_tenant = !tenant.empty() && !known;
    asked.identity.tenant = tenant;
    asked.identity.key_id = text_of(given, "key_id");
    const json headers = given.value("headers", json::object());
    for (const auto& [name, value] : headers.items()) {
        if (value.is_string()) asked.headers.add(name, value.get<std::string>());
    }
    const json metadata = given.value("metadata", json::object());
    for (const auto& [name, value] : metadata.items()) {
        if (value.is_string()) asked.identity.metadata[name] = value.get<std::string>();
    }
    if (const auto tokens = given.find("prompt_tokens"); tokens != given.end() && tokens->is_number_integer()) {
        asked.prompt_tokens = tokens->get<std::int64_t>();
    }
    if (const auto point = given.find("point"); point != given.end() && point->is_number()) {
        asked.point = std::clamp(point->get<double>(), 0.0, 1.0);
    }
    if (const std::string time = text_of(given, "time"); !time.empty()) {
        TRY(asked.time, parse_timestamp(time));
    }
    if (asked.model.empty()) return Error{Errc::InvalidArgument, "the question must name a 'model', or have a 'body'"};
    return asked;
}

// As affinity.h says, for a request that is not there.
std::string_view session_of(const Pool& pool, const Asked& asked) {
    const auto given = asked.headers.get(pool.balancer->options().session_header);
    if (given && !given->empty()) return *given;
    return asked.quoted_user.empty() ? std::string_view(asked.identity.key_id) : asked.quoted_user;
}

std::int64_t age_ms(Timestamp at) {
    return to_millis(at) == 0 ? -1 : (now() - at).count();
}

// What the balancer goes by, how old it is, and what it makes of it.
json load_json(const TargetExplanation& target) {
    const TargetView& view = target.inputs.view;
    json one = {{"score", target.inputs.score},
                {"chosen", target.chosen},
                {"prefix_tokens", view.prefix_tokens},
                {"latency_seconds", view.latency_seconds},
                {"engine", nullptr}};
    if (!target.excluded.empty()) one["excluded"] = target.excluded;
    if (target.has_adapter) one["has_adapter"] = true;
    if (view.adapter != AdapterHeat::Unknown) one["adapter"] = to_string(view.adapter);
    if (view.engine.known()) {
        one["engine"] = {{"running", view.engine.running},
                         {"waiting", view.engine.waiting},
                         {"kv_usage", view.engine.kv_usage},
                         {"age_ms", target.engine_age.count()},
                         {"counts", view.fresh},
                         {"foreign_requests", target.foreign_requests}};
    }
    return one;
}

json replica_json(const Target& target, const TargetExplanation& load) {
    const ReplicaStatus status = target.replica->status();
    const SteadyTime now = std::chrono::steady_clock::now();
    return {{"replica", status.id},
            {"state", to_string(status.state)},
            {"reason", status.reason},
            {"outstanding", status.outstanding},
            {"resting", target.replica->resting(now)},
            {"limited", target.replica->limited(now)},
            {"health", status.health_detail},
            {"health_age_ms", age_ms(status.health_at)},
            {"progress_age_ms", age_ms(status.last_progress)},
            {"engine_model", target.engine_model},
            {"balance", load_json(load)}};
}

json step_json(const RouteStep& step, const Asked& asked, std::string_view adapter) {
    const Pool& pool = *step.route->pool;
    json one = {{"model", step.route->model}, {"pool", step.route->pool->name}, {"replicas", json::array()}};
    json after = json::array();
    for (const FallbackCause cause : {FallbackCause::Down, FallbackCause::Overloaded, FallbackCause::ContextTooLong,
                                      FallbackCause::ContentRefused}) {
        if (step.after.has(cause)) after.push_back(to_string(cause));
    }
    if (!after.empty()) one["after"] = std::move(after);
    const PickExplanation pick = explain_pick(pool, {.now = std::chrono::steady_clock::now(),
                                                     .model = asked.model,
                                                     .adapter = adapter,
                                                     .prompt = asked.prompt,
                                                     .session = session_of(pool, asked)});
    one["policy"] = to_string(pick.policy);
    if (pick.pick)
        one["pick"] = {{"replica", pool.targets[pick.pick->target].replica->id()},
                       {"reason", to_string(pick.pick->reason)}};
    for (std::size_t i = 0; i < pool.targets.size(); ++i) {
        one["replicas"].push_back(replica_json(pool.targets[i], pick.targets[i]));
    }
    return one;
}

// Why the request would be turned away before it is led anywhere; empty: it would not.
std::string refusal_of(const Asked& asked) {
    const std::string& tenant = asked.identity.tenant;
    if (asked.unknown_tenant) return "the configuration names no tenant '" + tenant + "': tenant_unknown";
    if (asked.identity.models.allow(asked.model)) return {};
    return "tenant " + tenant + " may not ask for " + asked.model + ": model_not_allowed";
}

}  // namespace

Result<std::string> explain_route(const RouteTable& table, const Keyring& keys, std::string_view question) {
    TRY(const Asked asked, read(keys, question));
    std::vector<std::string> why;
    const RouteChoice choice = table.routing().choose(asked.question(), asked.point, &why);
    json answer = {{"asked", asked.model},  {"prompt_tokens", asked.prompt_tokens},
                   {"model", choice.model}, {"rule", choice.rule},
                   {"split", choice.split}, {"why", why},
                   {"steps", json::array()}};
    if (!choice.split.empty()) answer["arm"] = choice.arm;
    if (const std::string refusal = refusal_of(asked); !refusal.empty()) answer["refused"] = refusal;
    const ModelRoute* route = table.find(choice, asked.model);
    std::string_view adapter;  // Of the first step alone.
    if (route == nullptr) {
        route = table.find_adapter(choice.model);
        if (route == nullptr) {
            answer["error"] = "no pool serves the model '" + std::string(choice.model) +
                              "', and no replica has an adapter of that name";
            return answer.dump();
        }
        adapter = choice.model;
        answer["adapter"] = adapter;
    }
    answer["model"] = route->model;
    answer["pool"] = route->pool->name;
    if (!adapter.empty()) {
        answer["why"].push_back(std::string(adapter) + " is a LoRA adapter of " + route->model + ": of pool " +
                                route->pool->name + ", only the replicas that have it are asked");
    } else if (why.empty()) {
        answer["why"].push_back("the model's own pool: no rule, alias, split or canary is for it");
    }
    answer["shadows"] = json::array();
    for (const ShadowOptions& shadow : table.routing().options().shadows) {
        if (mismatch(shadow.match, asked.question()) != RuleField::None) continue;
        answer["shadows"].push_back(
            {{"name", shadow.match.name}, {"to", shadow.match.to}, {"percent", shadow.percent}});
        answer["why"].push_back("shadow " + shadow.match.name + ": " + format_number(shadow.percent) +
                                " % of such requests are copied to " + shadow.match.to);
    }
    RoutePlan plan;
    plan.add(*route, asked.identity.models);
    for (const RouteStep& step : plan.steps) {
        answer["steps"].push_back(step_json(step, asked, std::exchange(adapter, {})));
    }
    return answer.dump();
}

}  // namespace stoker::gateway
