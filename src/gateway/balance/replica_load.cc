#include "gateway/balance/replica_load.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "gateway/elapsed.h"

namespace stoker::gateway {
namespace {

constexpr double kPeakSeconds = 10;     // Time constant of the peak average.
constexpr double kPaceSeconds = 30;     // And of the pace, so that one odd request does not make a replica slow.
constexpr double kPaceGain = 0.1;       // Of one first token.
constexpr double kMinorSeconds = 0.05;  // Differences of less are not worth leaving a replica for.
constexpr double kBaseTokens = 256;     // A step with no prompt in it costs time too: about as much as so many tokens.

std::int64_t ticks(SteadyTime time) {
    return time.time_since_epoch().count();
}

double seconds_since(std::int64_t then, SteadyTime now) {
    return std::max(0.0, seconds(SteadyTime::duration{ticks(now) - then}));
}

auto find_adapter(const std::vector<LoraAdapter>& adapters, std::string_view name) {
    return std::find_if(adapters.begin(), adapters.end(),
                        [name](const LoraAdapter& each) { return each.name == name; });
}

}  // namespace

void ReplicaLoad::Peak::add(double value_seconds, SteadyTime now) {
    const double before = seconds_.load(std::memory_order_relaxed);
    const double kept = std::exp(-seconds_since(at_.load(std::memory_order_relaxed), now) / kPeakSeconds);
    const bool rises = value_seconds >= before * kept;
    seconds_.store(rises ? value_seconds : before * kept + value_seconds * (1 - kept), std::memory_order_relaxed);
    at_.store(ticks(now), std::memory_order_relaxed);
}

double ReplicaLoad::Peak::value(SteadyTime now) const {
    return seconds_.load(std::memory_order_relaxed) *
           std::exp(-seconds_since(at_.load(std::memory_order_relaxed), now) / kPeakSeconds);
}

LoadTicket ReplicaLoad::begin(const LoadEstimate& estimate, SteadyTime now) {
    requests_.fetch_add(1, std::memory_order_relaxed);
    tokens_.fetch_add(estimate.prompt_tokens + estimate.output_tokens, std::memory_order_relaxed);
    const std::int64_t ahead = prompt_work_.fetch_add(estimate.new_tokens, std::memory_order_relaxed);
    return {estimate, now, ahead, false};
}

void ReplicaLoad::first_token(LoadTicket& ticket, SteadyTime now) {
    if (std::exchange(ticket.had_first_token, true)) return;
    prompt_work_.fetch_sub(ticket.estimate.new_tokens, std::memory_order_relaxed);
    const double waited = seconds(now - ticket.began);
    first_token_.add(waited, now);
    const double work = static_cast<double>(ticket.estimate.new_tokens + ticket.ahead) + kBaseTokens;
    const double sample = std::log((waited + kMinorSeconds) / work);
    const double worth = pace(now).weight;
    const double before = pace_.load(std::memory_order_relaxed);
    const double gain = std::max(kPaceGain, 1 - worth);  // The first ones count more, and those after a long silence.
    pace_.store(before + gain * (sample - before), std::memory_order_relaxed);
    pace_weight_.store(std::min(1.0, worth + kPaceGain), std::memory_order_relaxed);
    pace_at_.store(ticks(now), std::memory_order_relaxed);
}

void ReplicaLoad::whole_answer(const LoadTicket& ticket, SteadyTime now) {
    answer_.add(seconds(now - ticket.began), now);
}

void ReplicaLoad::end(const LoadTicket& ticket) {
    const LoadEstimate& estimate = ticket.estimate;
    if (!ticket.had_first_token) prompt_work_.fetch_sub(estimate.new_tokens, std::memory_order_relaxed);
    tokens_.fetch_sub(estimate.prompt_tokens + estimate.output_tokens, std::memory_order_relaxed);
    requests_.fetch_sub(1, std::memory_order_relaxed);
}

ReplicaLoad::Pace ReplicaLoad::pace(SteadyTime now) const {
    const double age = seconds_since(pace_at_.load(std::memory_order_relaxed), now);
    return {pace_.load(std::memory_order_relaxed),
            pace_weight_.load(std::memory_order_relaxed) * std::exp(-age / kPaceSeconds)};
}

void ReplicaLoad::report(const EngineReport& report) {
    const EngineLoad& load = report.load;
    if (load.known()) {
        running_.store(load.running, std::memory_order_relaxed);
        waiting_.store(load.waiting, std::memory_order_relaxed);
        kv_usage_.store(load.kv_usage, std::memory_order_relaxed);
        kv_tokens_.store(load.kv_tokens, std::memory_order_relaxed);
        engine_outstanding_.store(load.outstanding, std::memory_order_relaxed);
        engine_at_.store(ticks(load.at), std::memory_order_release);
    }
    if (report.activity && *activity_.get() != *report.activity) {
        activity_.set(std::make_shared<const AdapterActivity>(*report.activity));
    }
    if (!report.knows_adapters || *adapters_.get() == report.adapters) return;
    adapters_.set(std::make_shared<const std::vector<LoraAdapter>>(report.adapters));
    adapter_count_.store(report.adapters.size(), std::memory_order_relaxed);
}

std::string_view to_string(AdapterHeat heat) {
    switch (heat) {
        case AdapterHeat::Unknown:
            break;
        case AdapterHeat::Active:
            return "active";
        case AdapterHeat::Cold:
            return "cold";
        case AdapterHeat::NoRoom:
            return "no_room";
    }
    return "unknown";
}

AdapterHeat ReplicaLoad::adapter_heat(std::string_view name) const {
    const auto activity = activity_.get();
    if (activity->slots <= 0) return AdapterHeat::Unknown;
    const auto& active = activity->active;
    if (std::find(active.begin(), active.end(), name) != active.end()) return AdapterHeat::Active;
    const bool full = static_cast<std::int64_t>(active.size()) >= activity->slots;
    return full ? AdapterHeat::NoRoom : AdapterHeat::Cold;
}

EngineLoad ReplicaLoad::engine() const {
    EngineLoad load;
    load.at = SteadyTime{SteadyTime::duration{engine_at_.load(std::memory_order_acquire)}};
    load.running = running_.load(std::memory_order_relaxed);
    load.waiting = waiting_.load(std::memory_order_relaxed);
    load.kv_usage = kv_usage_.load(std::memory_order_relaxed);
    load.kv_tokens = kv_tokens_.load(std::memory_order_relaxed);
    load.outstanding = engine_outstanding_.load(std::memory_order_relaxed);
    return load;
}

bool ReplicaLoad::has_adapter(std::string_view name) const {
    if (adapter_count_.load(std::memory_order_relaxed) == 0) return false;
    const auto all = adapters_.get();
    return find_adapter(*all, name) != all->end();
}

std::optional<LoraAdapter> ReplicaLoad::adapter(std::string_view name) const {
    const auto all = adapters_.get();
    const auto found = find_adapter(*all, name);
    return found == all->end() ? std::nullopt : std::optional(*found);
}

}  // namespace stoker::gateway
