// Runs scripts in the language of Prometheus' promqltest
// (https://github.com/prometheus/prometheus/blob/main/promql/promqltest/README.md): load series, evaluate, compare.
//
//   load 5m
//     http_requests_total{job="api"} 0+10x10
//     http_requests_total{job="web"}@st -30s *x2            # when the counter began (start_text.h)
//     http_requests_total{job="web"} 1 2 3
//   load_with_nhcb 5m                      # classic histograms also as native ones with custom buckets
//     latency_bucket{le="1"} 1+1x10
//   eval instant at 50m rate(http_requests_total[10m])
//     {job="api"} 0.03333333333333333
//   eval range from 0 to 10m step 5m http_requests_total
//     http_requests_total{job="api"} 0 10 20
//   eval instant at 0 ceil({__name__=~"a|b"})
//     expect fail msg: vector cannot contain metrics with the same labelset
//   clear
//
// Expectations: `expect ordered`, `expect fail|warn|info [msg: TEXT | regex: RE]`, `expect no_warn|no_info`,
// `expect string "TEXT"`, `expect range vector from A to B step C`; older forms eval_fail, eval_warn, eval_info,
// eval_ordered, expected_fail_message, expected_fail_regexp. An instant query is evaluated once more as the middle of a
// range query and must give the same.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "promql/engine.h"
#include "promql/expectation.h"
#include "promql/memory_querier.h"

namespace stoker::promql {

// An evaluation, or a command, that did not do what the script says.
struct ScriptMismatch {
    std::size_t line = 0;    // Of the command, from 1.
    std::string query;       // The command's line for what is no evaluation.
    std::string difference;  // Lines of expected ("- ") and actual ("+ ") and of what agrees ("  ").
};

struct ScriptReport {
    std::size_t passed = 0;  // Evaluations.
    std::size_t failed = 0;  // Evaluations, and commands that could not be read.
    std::vector<ScriptMismatch> mismatches;
};

class ScriptRunner {
public:
    // Experimental functions, and names dropped late: what Prometheus runs its own scripts with.
    static EngineOptions script_options();

    explicit ScriptRunner(EngineOptions options = script_options()) : engine_(options) {}

    // Data loaded by an earlier script stays, as within one.
    ScriptReport run(std::string_view script);

    const MemoryQuerier& data() const { return data_; }

private:
    struct Block;

    // The difference; empty if there is none.
    std::string run_block(const Block& block, ScriptMismatch& mismatch);
    Result<Unit> load(const Block& block, std::string_view rest, bool custom_histograms);
    Result<std::string> evaluate(std::string_view mode, const Block& block, std::string_view rest,
                                 ScriptMismatch& mismatch);
    Result<std::string> evaluate_range(const Expectation& expected, std::string_view rest, ScriptMismatch& mismatch);
    Result<std::string> evaluate_instant(const Expectation& expected, std::string_view rest, ScriptMismatch& mismatch);

    Engine engine_;
    MemoryQuerier data_;
};

}  // namespace stoker::promql
