#include "diagnose/signal.h"

#include <algorithm>

#include "base/text.h"

namespace stoker::diagnose {
namespace {

bool mentions(std::string_view text, std::string_view word) {
    return to_lower(text).find(word) != std::string::npos;
}

bool about_network(Finding finding) {
    return finding == Finding::HealthOk || finding == Finding::HealthFailing || finding == Finding::ConnectTimeout ||
           finding == Finding::ConnectionRefused;
}

bool saw(const std::vector<Observation>& observations, Finding finding) {
    return std::any_of(observations.begin(), observations.end(),
                       [finding](const Observation& item) { return item.finding == finding && item.seen; });
}

// The sentence of the signal that speaks of refused connections; empty if none does.
std::string refusal_in(const Signal& signal) {
    for (const std::string& text : signal.evidence) {
        if (mentions(text, "refused")) return text;
    }
    return mentions(signal.reason, "refused") ? signal.reason : "";
}

}  // namespace

std::vector<Observation> from_health(bool health_ok, std::string_view health_detail, bool stalled_with_work) {
    std::vector<Observation> findings;
    const std::string detail = to_lower(health_detail);
    const Evidence shown{"Health probe: " + std::string(health_detail), "", ""};
    const bool refused = mentions(detail, "refused");
    const bool late = mentions(detail, "timeout") || mentions(detail, "timed out") || mentions(detail, "deadline") ||
                      mentions(detail, "unreachable");
    const bool answered_badly = !health_ok && !detail.empty() && detail[0] >= '4' && detail[0] <= '5';
    // Never probed, or the supervisor's word that the process ended: no probe, so nothing was asked.
    const bool probed = health_ok || (!detail.empty() && !detail.starts_with("process "));
    if (probed) findings.push_back({Finding::HealthOk, health_ok, shown});
    if (probed && (health_ok || refused || late || answered_badly)) {
        findings.push_back({Finding::ConnectionRefused, refused, shown});
        findings.push_back({Finding::ConnectTimeout, late, shown});
        findings.push_back({Finding::HealthFailing, answered_badly, shown});
    }
    // Not stalled may mean that there was no work to stall on, which answers nothing.
    if (stalled_with_work) {
        findings.push_back({Finding::NoProgress, true, {"Requests are outstanding and nothing comes out", "", ""}});
    }
    return findings;
}

bool speaks_of_refusal(const Signal& signal) {
    return !refusal_in(signal).empty();
}

std::vector<Observation> gather(const Signal& signal, const std::vector<Observation>& process) {
    std::vector<Observation> all = process;
    // A probe that succeeded, of an engine that is down, stopped or gone, is one from before.
    const bool dead = signal.kind == Signal::Kind::EngineDown || saw(process, Finding::ProcessGone) ||
                      saw(process, Finding::ProcessStopped);
    const bool outdated = dead && saw(signal.findings, Finding::HealthOk);
    const std::string refusal = refusal_in(signal);
    if (!refusal.empty()) all.push_back({Finding::ConnectionRefused, true, {refusal, "", ""}});
    for (const Observation& item : signal.findings) {
        if (outdated && about_network(item.finding)) continue;
        if (item.finding == Finding::ConnectionRefused && !refusal.empty() && !item.seen) continue;
        all.push_back(item);
    }
    return all;
}

}  // namespace stoker::diagnose
