// Whether an engine's numbers can be true: looks at each of its metrics pages and says what is wrong with it, and what
// to do. What takes several looks to see (a counter that falls, a gauge that stays 0 while there is work) is remembered
// from look to look.
//
// Never changes a number: what is found is told beside them. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "collect/engine/canonical.h"
#include "collect/engine/finding.h"
#include "collect/engine/identify.h"
#include "collect/scrape/scrape_page.h"

namespace stoker::collect {

class Inspector {
public:
    // From now on this is looked at, with its adapter (null: none is known); what was remembered of another is
    // forgotten. REQUIRES: the adapter lives as long as the plan.
    void set_engine(std::shared_ptr<const CanonicalPlan> plan, const Adapter* adapter, EngineIdentity identity);

    // A page was read, and these canonical values made of it.
    void look(const ScrapePage& page, const std::vector<Canonical::Value>& values,
              std::optional<GatewayCount> gateway = {});

    // There was an answer, and no page in it: its status, its body, and what is wrong with that.
    void look_at_failure(int status, std::string_view body, const std::string& why);
    // There was no answer, of which nothing is to be said.
    void look_at_silence() { findings_.clear(); }

    // Of the last look, the worst first.
    const std::vector<Finding>& findings() const { return findings_; }

private:
    struct Total {
        double now = 0;
        double before = 0;
        bool known_before = false;
    };

    void add(FindingCode code, Severity severity, std::string metric, std::string text, std::string fix);
    void look_at_series(const ScrapePage& page);
    void look_at_counters(const ScrapePage& page);
    void look_at_shares(const std::vector<Canonical::Value>& values);
    void look_at_zeros(const std::optional<GatewayCount>& gateway);
    void look_at_gateway(const std::optional<GatewayCount>& gateway);
    void look_at_quirks(const ScrapePage& page);
    void take_totals(const std::vector<Canonical::Value>& values);
    std::optional<double> total(const std::string& name) const;
    double growth(const std::string& name) const;  // Since the last look; 0 if there was none.
    std::string own_name(const std::string& canonical) const;
    std::string enable() const;

    std::shared_ptr<const CanonicalPlan> plan_;
    const Adapter* adapter_ = nullptr;
    EngineIdentity identity_;
    std::vector<Finding> findings_;

    std::unordered_map<std::string, double> counters_;  // By series as exposed.
    std::optional<double> started_;                     // process_start_time_seconds of the last page.
    std::optional<Finding> fell_;                       // Told for some looks after it was seen.
    int fell_looks_ = 0;
    std::map<std::string, Total> totals_;           // By canonical name, over all its series.
    std::map<std::string, std::string> own_names_;  // What the canonical ones on the last page are made of.
    std::optional<GatewayCount> gateway_;           // At the last look.
    // Looks in a row, of what would be wrong if it went on.
    int kv_zero_ = 0;
    int running_zero_ = 0;
    int disagreements_ = 0;
    int standstills_ = 0;
};

}  // namespace stoker::collect
