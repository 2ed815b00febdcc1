#include "app/replica_control.h"

#include <nlohmann/json.hpp>

#include "app/http_call.h"

namespace stoker::app {
namespace {

using heal::StepResult;
using heal::StepStatus;

StepResult not_configured(const std::string& replica) {
    return {StepStatus::Failed, replica + " is no longer in the configuration"};
}

StepResult done_or_failed(const Result<Unit>& result, const std::string& done) {
    if (result) return {StepStatus::Done, done};
    return {StepStatus::Failed, result.error().message};
}

std::string base_of(std::string url) {
    while (url.ends_with('/')) url.pop_back();
    return url;
}

CallOptions options_for(const ReplicaSetup& setup, Duration limit) {
    CallOptions options;
    options.limit = limit;
    options.max_answer = std::size_t{1} << 20;
    if (!setup.api_key.empty()) options.headers.add("Authorization", "Bearer " + setup.api_key);
    return options;
}

// The model to ask for when the configuration does not say: the first that the engine names.
Result<std::string> first_model(const ReplicaSetup& setup, Duration limit) {
    TRY(auto answer, call_url(base_of(setup.url) + "/v1/models", options_for(setup, limit)));
    auto body = nlohmann::json::parse(answer.body, nullptr, false);
    if (body.is_object() && body.contains("data") && body["data"].is_array() && !body["data"].empty()) {
        return body["data"][0].value("id", "");
    }
    return Error{Errc::Unavailable, "/v1/models answered " + std::to_string(answer.status) + " without a model"};
}

// Whether an answer really is a completion, not just a 200.
bool is_completion(const net::Response& answer) {
    auto body = nlohmann::json::parse(answer.body, nullptr, false);
    return answer.status == 200 && body.is_object() && body.contains("choices") && !body["choices"].empty();
}

}  // namespace

Result<std::string> replica_id(const std::string& pool, const std::string& url) {
    TRY(auto parsed, net::parse_url(url));
    return pool + "/" + parsed.host + ":" + parsed.port;
}

ReplicaSetups replica_setups(const Config& config) {
    ReplicaSetups setups;
    for (const auto& pool : config.pools) {
        if (pool.provider) continue;  // There is nothing there that could be repaired from here.
        for (const auto& replica : pool.replicas) {
            auto id = replica_id(pool.name, replica.url);
            if (!id) continue;  // Configuration was checked; such a URL did not get here.
            ReplicaSetup& setup = setups[*id];
            setup.pool = pool.name;
            setup.url = replica.url;
            setup.model = !replica.model.empty() || pool.models.empty() ? replica.model : pool.models.front();
            setup.api_key = replica.api_key;
            setup.health_path = pool.health.path;
            setup.supervised = !replica.run.empty();
            setup.systemd = replica.systemd;
        }
    }
    return setups;
}

void FleetControl::apply(ReplicaSetups setups) {
    setups_.set(std::make_shared<const ReplicaSetups>(std::move(setups)));
}

std::optional<ReplicaSetup> FleetControl::find(const std::string& replica) const {
    auto setups = setups_.get();
    auto found = setups->find(replica);
    return found == setups->end() ? std::nullopt : std::optional<ReplicaSetup>(found->second);
}

heal::ReplicaFacts FleetControl::replica(const std::string& id) const {
    heal::ReplicaFacts facts;
    auto setup = find(id);
    facts.known = setup.has_value();
    facts.restartable = setup && (setup->supervised || !setup->systemd.empty());
    for (const auto& status : gateway_.statuses()) {
        if (status.id == id) facts.serving = status.state == gateway::ReplicaState::Serving;
    }
    return facts;
}

heal::PoolFacts FleetControl::pool(const std::string& name) const {
    heal::PoolFacts facts;
    for (const auto& status : gateway_.statuses()) {
        if (status.pool != name) continue;
        ++facts.total;
        facts.serving += status.state == gateway::ReplicaState::Serving ? 1 : 0;
    }
    return facts;
}

StepResult FleetControl::eject(const std::string& replica, const std::string& reason, Duration) {
    return done_or_failed(gateway_.eject(replica, reason), "takes no new traffic");
}

StepResult FleetControl::readmit(const std::string& replica, Duration) {
    return done_or_failed(gateway_.readmit(replica), "takes traffic again");
}

StepResult FleetControl::restart(const std::string& replica, Duration limit) {
    auto setup = find(replica);
    if (!setup) return not_configured(replica);
    if (setup->supervised) {
        auto restarted = supervisor_.restart(replica, limit);
        if (restarted) return {StepStatus::Done, *restarted};
        bool busy = restarted.error().code == Errc::Conflict;
        return {busy ? StepStatus::NotYet : StepStatus::Failed, restarted.error().message};
    }
    if (!setup->systemd.empty()) {
        return done_or_failed(heal::restart_unit(setup->systemd, limit), "unit " + setup->systemd + " restarted");
    }
    return {StepStatus::Failed, "it has neither run nor systemd in the configuration, so Stoker can't restart it"};
}

std::optional<StepResult> FleetControl::process_ended(const std::string& replica) const {
    auto process = supervisor_.status(replica);
    if (!process || process->state == heal::ProcessState::Running || process->state == heal::ProcessState::Stopping) {
        return std::nullopt;
    }
    std::string why = process->error.empty() ? "its process has ended" : process->error;
    return StepResult{StepStatus::Failed, why + (process->log.empty() ? "" : "; its log: " + process->log)};
}

StepResult FleetControl::healthy(const std::string& replica, Duration limit) {
    auto setup = find(replica);
    if (!setup) return not_configured(replica);
    if (auto ended = process_ended(replica)) return *ended;
    auto answer = call_url(base_of(setup->url) + setup->health_path, options_for(*setup, limit));
    if (!answer) return {StepStatus::NotYet, answer.error().message};
    std::string said = setup->health_path + " answered " + std::to_string(answer->status);
    // As the gateway judges: an engine without this path is alive all the same; one that loads its model says 503.
    return {answer->status < 500 ? StepStatus::Done : StepStatus::NotYet, said};
}

StepResult FleetControl::probe(const std::string& replica, Duration limit) {
    auto setup = find(replica);
    if (!setup) return not_configured(replica);
    if (auto ended = process_ended(replica)) return *ended;
    auto model = setup->model.empty() ? first_model(*setup, limit) : Result<std::string>(setup->model);
    if (!model) return {StepStatus::NotYet, model.error().message};
    CallOptions options = options_for(*setup, limit);
    options.method = "POST";
    options.body =
        nlohmann::json{{"model", *model}, {"max_tokens", 1}, {"messages", {{{"role", "user"}, {"content", "ping"}}}}}
            .dump();
    auto begin = std::chrono::steady_clock::now();
    auto answer = call_url(base_of(setup->url) + "/v1/chat/completions", options);
    if (!answer) return {StepStatus::NotYet, answer.error().message};
    if (!is_completion(*answer)) {
        return {StepStatus::NotYet, "a real request was answered with " + std::to_string(answer->status)};
    }
    auto took = std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - begin);
    return {StepStatus::Done, "a real request was answered in " + format_duration(std::max(took, Duration{1}))};
}

}  // namespace stoker::app
