// The rules that an agent evaluates itself, on its newest samples, so that it keeps acting when it is cut off.
//
// A rule is a PromQL expression over the last few minutes of the series it names: true while it gives anything. It has
// to hold for a while; then its action is due, again every `repeat` while it holds, and once more when it is over.
// Kept are only series whose metric's name stands in a rule, a bounded number of them. Time is an argument.
//
// append() may be called from any thread; the rest is for one at a time.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/sync.h"
#include "base/time.h"
#include "tsdb/store.h"

namespace stoker::agent {

struct LocalRule {
    std::string name;
    std::string expr;
    Duration hold_for{0};         // How long it must hold before anything is done.
    Duration repeat{5 * 60'000};  // Between two actions while it holds.
};

enum class RuleStatus : std::uint8_t { Inactive, Pending, Firing };

// Something to be done now.
struct DueAction {
    std::size_t rule = 0;   // Its index.
    bool resolved = false;  // The rule holds no more.
    double value = 0;       // Of the first series of the result; of the last evaluation that held, if resolved.
    std::string labels;     // Of that series, as PromQL writes them.
};

class LocalRules {
public:
    static constexpr Duration kWindow{5 * 60'000};     // How far back an expression can look.
    static constexpr std::size_t kMostSeries = 2'000;  // Of all rules; more are not looked at.

    explicit LocalRules(std::vector<LocalRule> rules);

    // Whether the expression parses, and names its metrics outright. Errors: InvalidArgument.
    static Result<Unit> check(std::string_view expr);

    void append(const std::vector<tsdb::SeriesSample>& samples);

    // Evaluates all rules. `wall` is the time of samples, `steady` that of holding and repeating. What failed to
    // evaluate is in `errors`, one line each, and keeps its state.
    std::vector<DueAction> evaluate(Timestamp wall, SteadyTime steady, std::vector<std::string>& errors);

    RuleStatus status(std::size_t rule) const { return states_[rule].status; }
    const std::vector<LocalRule>& rules() const { return rules_; }

private:
    struct State {
        RuleStatus status = RuleStatus::Inactive;
        SteadyTime since{};
        SteadyTime acted{};
        double value = 0;
        std::string labels;
    };

    const std::vector<LocalRule> rules_;
    std::set<std::string, std::less<>> names_;  // Of metrics, as far as words of the expressions are some.
    std::vector<State> states_;

    Mutex mutex_;
    std::map<tsdb::Labels, std::deque<tsdb::Sample>> series_ GUARDED_BY(mutex_);
};

}  // namespace stoker::agent
