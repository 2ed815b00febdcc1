#include "app/degradation_watch.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <variant>

#include "base/log.h"

namespace stoker::app {
namespace {

using nlohmann::json;

constexpr std::string_view kPins = "degradation_pins";  // Of the state store's values.

std::string to_json(const std::vector<gateway::DegradationPin>& pins) {
    json list = json::array();
    for (const auto& pin : pins) {
        list.push_back({{"pool", pin.pool},
                        {"level", gateway::to_string(pin.level)},
                        {"until_ms", to_millis(pin.until)},
                        {"by", pin.by},
                        {"reason", pin.reason}});
    }
    return json{{"v", 1}, {"pins", std::move(list)}}.dump();
}

std::vector<gateway::DegradationPin> pins_from_json(const std::string& text) {
    std::vector<gateway::DegradationPin> pins;
    const json document = json::parse(text, nullptr, false);
    if (!document.is_object()) return pins;
    for (const auto& entry : document.value("pins", json::array())) {
        const auto level = gateway::parse_degradation_level(entry.value("level", ""));
        if (!level) continue;
        pins.push_back({entry.value("pool", ""), *level, from_millis(entry.value("until_ms", std::int64_t{0})),
                        entry.value("by", ""), entry.value("reason", "")});
    }
    return pins;
}

}  // namespace

DegradationWatch::DegradationWatch(gateway::DegradationControl& control, const promql::Engine& engine,
                                   const tsdb::Querier& querier, state::StateStore& state, api::Live& live)
    : control_(control), engine_(engine), querier_(querier), state_(state), live_(live) {
    const auto saved = state_.value(kPins);
    if (!saved) return;
    for (auto& pin : pins_from_json(*saved)) control_.pin(std::move(pin), now());
}

void DegradationWatch::look() {
    const SteadyTime steady = std::chrono::steady_clock::now();
    if (steady < next_) return;
    const auto options = control_.options();
    next_ = steady + options.interval;
    std::vector<gateway::DegradationReading> readings;
    for (const auto& condition : options.conditions) {
        if (!options.enabled) break;
        auto value = engine_.instant(querier_, condition.query, now());
        if (!value) {
            log::warn("a condition of degradation can't be evaluated",
                      {{"condition", condition.name}, {"error", value.error().message}});
            continue;
        }
        if (const auto* scalar = std::get_if<promql::Scalar>(&value->data)) {
            if (!std::isnan(scalar->sample.value)) readings.push_back({condition.name, "", scalar->sample.value});
        }
        if (const auto* samples = std::get_if<promql::Vector>(&value->data)) {
            for (const auto& sample : *samples) {
                if (sample.histogram || std::isnan(sample.sample.value)) continue;
                readings.push_back({condition.name, std::string(sample.labels.get("pool")), sample.sample.value});
            }
        }
    }
    // Also ends pins whose time is over.
    tell(control_.observe(readings, steady, now()));
}

Result<Unit> DegradationWatch::pin(gateway::DegradationPin pin) {
    tell(control_.pin(std::move(pin), now()));
    return save();
}

Result<Unit> DegradationWatch::release(const std::string& pool) {
    if (!control_.release(pool, now())) {
        return Error{Errc::NotFound, pool.empty() ? "the level of all pools is not pinned"
                                                  : "the level of pool " + pool + " is not pinned"};
    }
    return save();
}

Result<Unit> DegradationWatch::save() {
    return state_.set_value(kPins, to_json(control_.pins()));
}

void DegradationWatch::tell(const std::vector<gateway::DegradationChange>& changes) {
    for (const auto& change : changes) {
        if (on_change_) on_change_(change);
        live_.publish("degradation", json{{"pool", change.pool},
                                          {"from", gateway::to_string(change.from)},
                                          {"to", gateway::to_string(change.to)},
                                          {"why", change.why}}
                                         .dump());
    }
}

}  // namespace stoker::app
