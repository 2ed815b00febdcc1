#include "diagnose/signal.h"

#include "base/text.h"

namespace stoker::diagnose {

std::vector<Observation> from_health(bool health_ok, std::string_view health_detail, bool stalled_with_work) {
    std::vector<Observation> findings;
    const std::string detail = to_lower(health_detail);
    const std::string shown = "Health probe: " + std::string(health_detail.empty() ? "no answer" : health_detail);
    const auto add = [&findings](Finding finding, bool seen, const std::string& text) {
        findings.push_back({finding, seen, {text, "", ""}});
    };
    const bool refused = detail.find("refused") != std::string::npos;
    const bool late = detail.find("timeout") != std::string::npos || detail.find("timed out") != std::string::npos ||
                      detail.find("deadline") != std::string::npos || detail.find("unreachable") != std::string::npos;
    const bool answered_badly = !health_ok && !detail.empty() && detail[0] >= '4' && detail[0] <= '5';
    add(Finding::HealthOk, health_ok, shown);
    if (health_ok || refused || late || answered_badly) {
        add(Finding::ConnectionRefused, refused, shown);
        add(Finding::ConnectTimeout, late, shown);
        add(Finding::HealthFailing, answered_badly, shown);
    }
    add(Finding::NoProgress, stalled_with_work,
        stalled_with_work ? "Requests are outstanding and nothing comes out" : "No request hangs without progress");
    return findings;
}

}  // namespace stoker::diagnose
