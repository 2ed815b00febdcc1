#include "diagnose/failure_modes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <map>
#include <string_view>
#include <utility>

namespace stoker::diagnose {
namespace {

constexpr std::array<std::string_view, kFindings> kNames{
    "process_gone",       "killed_by_sigkill",  "crash_signal", "exited_with_error", "process_stopped",
    "connection_refused", "connect_timeout",    "health_ok",    "health_failing",    "no_progress",
    "oom_kill",           "memory_nearly_full", "gpu_fault",    "kv_cache_full",     "counters_still"};

struct Likelihood {
    Finding finding;
    double probability;
};

struct Mode {
    std::string_view id;
    std::string_view summary;
    double prior;
    std::initializer_list<Likelihood> likelihoods;
};

using enum Finding;

// How often each is seen over all incidents; what a mode says nothing about.
constexpr std::array<double, kFindings> kBaseRates{0.4, 0.15, 0.08, 0.1,  0.05, 0.4, 0.2, 0.3,
                                                   0.1, 0.3,  0.03, 0.05, 0.03, 0.1, 0.3};

// Estimates by experience, in the open so that they can be argued with. Only ratios between modes matter.
const std::array<Mode, 8> kModes{{
    {"engine_process_died",
     "The engine's process ended.",
     0.30,
     {{ProcessGone, 0.98},
      {KilledBySigkill, 0.4},
      {CrashSignal, 0.25},
      {ExitedWithError, 0.3},
      {ProcessStopped, 0.001},
      {ConnectionRefused, 0.95},
      {ConnectTimeout, 0.03},
      {HealthOk, 0.02},
      {HealthFailing, 0.02},
      {NoProgress, 0.1},
      {OomKill, 0.01},
      {GpuFault, 0.01}}},
    {"engine_killed_by_oom",
     "The kernel killed the engine because memory ran out.",
     0.05,
     {{ProcessGone, 0.98},
      {KilledBySigkill, 0.95},
      {CrashSignal, 0.01},
      {ExitedWithError, 0.04},
      {ProcessStopped, 0.001},
      {ConnectionRefused, 0.95},
      {ConnectTimeout, 0.05},
      {HealthOk, 0.02},
      {HealthFailing, 0.02},
      {OomKill, 0.9},
      {MemoryNearlyFull, 0.3}}},
    {"engine_gpu_fault",
     "A GPU fault took the engine down.",
     0.04,
     {{ProcessGone, 0.6},
      {KilledBySigkill, 0.02},
      {CrashSignal, 0.4},
      {ExitedWithError, 0.4},
      {ProcessStopped, 0.001},
      {HealthOk, 0.1},
      {HealthFailing, 0.3},
      {NoProgress, 0.5},
      {GpuFault, 0.9},
      {CountersStill, 0.8}}},
    {"engine_hung_no_progress",
     "The engine hangs: it takes requests and produces nothing.",
     0.22,
     {{ProcessGone, 0.01},
      {ProcessStopped, 0.005},
      {ConnectionRefused, 0.01},
      {ConnectTimeout, 0.25},
      {HealthOk, 0.6},
      {HealthFailing, 0.1},
      {NoProgress, 0.97},
      {KvCacheFull, 0.1},
      {CountersStill, 0.95}}},
    {"engine_process_stopped",
     "The engine's process is stopped (SIGSTOP or a debugger), so nothing runs.",
     0.04,
     {{ProcessGone, 0.001},
      {ProcessStopped, 0.99},
      {ConnectionRefused, 0.01},
      {ConnectTimeout, 0.9},
      {HealthOk, 0.02},
      {HealthFailing, 0.01},
      {NoProgress, 0.9},
      {CountersStill, 0.95}}},
    {"engine_unreachable",
     "The engine can't be reached: its host or the network between does not answer.",
     0.14,
     {{ProcessGone, 0.02},
      {ProcessStopped, 0.01},
      {ConnectionRefused, 0.2},
      {ConnectTimeout, 0.85},
      {HealthOk, 0.02},
      {HealthFailing, 0.02},
      {NoProgress, 0.3}}},
    {"engine_overloaded",
     "The engine is overloaded: its KV cache is full and it falls behind.",
     0.08,
     {{ProcessGone, 0.01},
      {ProcessStopped, 0.001},
      {ConnectionRefused, 0.02},
      {ConnectTimeout, 0.2},
      {HealthFailing, 0.4},
      {NoProgress, 0.3},
      {KvCacheFull, 0.9},
      {CountersStill, 0.05}}},
    // A process that is known to be gone or stopped explains the rest, however odd the rest is.
    {"unknown",
     "None of the known failure modes explains what was seen.",
     0.05,
     {{ProcessGone, 0.01}, {ProcessStopped, 0.01}}},
}};

double probability(const Mode& mode, Finding finding) {
    for (const Likelihood& item : mode.likelihoods) {
        if (item.finding == finding) return item.probability;
    }
    return kBaseRates[static_cast<std::size_t>(finding)];
}

// What hardly tells the mode from any other is no evidence for it.
constexpr double kTelling = 1.1;

bool speaks_for(const Mode& mode, const Observation& observation) {
    const double base = kBaseRates[static_cast<std::size_t>(observation.finding)];
    const double here = probability(mode, observation.finding);
    return observation.seen ? here > base * kTelling : 1 - here > (1 - base) * kTelling;
}

// Several findings may rest on one sentence, and one finding on several sentences.
void add_evidence(std::vector<Evidence>& list, const Evidence& evidence) {
    const bool known = std::any_of(list.begin(), list.end(), [&evidence](const Evidence& item) {
        return item.text == evidence.text && item.query == evidence.query;
    });
    if (!known && !evidence.text.empty()) list.push_back(evidence);
}

// Each finding once, however many watchers report it: seen if anyone saw it.
std::map<Finding, bool> answers(const std::vector<Observation>& observations) {
    std::map<Finding, bool> seen;
    for (const Observation& item : observations) seen[item.finding] |= item.seen;
    return seen;
}

constexpr double kWorthSaying = 0.05;
constexpr std::size_t kMost = 3;

}  // namespace

std::string_view to_string(Finding finding) {
    return kNames[static_cast<std::size_t>(finding)];
}

std::vector<Hypothesis> rank(const std::vector<Observation>& observations) {
    const std::map<Finding, bool> seen = answers(observations);
    std::vector<Hypothesis> ranked;
    double sum = 0;
    for (const Mode& mode : kModes) {
        double weight = mode.prior;
        Hypothesis hypothesis{std::string(mode.id), std::string(mode.summary), 0, {}};
        for (const auto& [finding, was_seen] : seen) {
            const double p = probability(mode, finding);
            weight *= was_seen ? p : 1 - p;
        }
        for (const Observation& item : observations) {
            if (item.seen == seen.at(item.finding) && speaks_for(mode, item)) {
                add_evidence(hypothesis.evidence, item.evidence);
            }
        }
        sum += weight;
        hypothesis.confidence = weight;
        ranked.push_back(std::move(hypothesis));
    }
    // Rounded to three digits: more would pretend that the table knows better than it does.
    for (Hypothesis& hypothesis : ranked) hypothesis.confidence = std::round(hypothesis.confidence / sum * 1000) / 1000;
    std::stable_sort(ranked.begin(), ranked.end(),
                     [](const Hypothesis& a, const Hypothesis& b) { return a.confidence > b.confidence; });
    std::size_t keep = 1;
    while (keep < kMost && ranked[keep].confidence >= kWorthSaying) ++keep;
    ranked.resize(keep);
    return ranked;
}

}  // namespace stoker::diagnose
