// Runs scripts in the language of Prometheus' promqltest: load series, evaluate, compare.
//
//   clear
//   load 5m
//     http_requests_total{job="api"} 0+10x10
//   eval instant at 50m rate(http_requests_total[10m])
//     {job="api"} 0.03333333333333333
//   eval range from 0 to 10m step 5m http_requests_total
//     http_requests_total{job="api"} 0 10 20
//   eval instant at 0 rate(x)
//     expect fail msg: 1:6: parse error: expected type range vector in call to function "rate", got instant vector
//
// Expectations: `expect ordered`, `expect fail [msg: TEXT | regex: RE]`, `expect warn|info [msg: TEXT]`,
// `expect no_warn`, `expect no_info`, `expect string "TEXT"`. An instant query is evaluated once more as the middle of
// a range query, and must give the same. Native histograms are not supported.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "promql/engine.h"
#include "promql/memory_querier.h"

namespace stoker::promql {

class ScriptRunner {
public:
    // Experimental functions, and names dropped late: what Prometheus runs its own scripts with.
    static EngineOptions script_options() {
        EngineOptions options;
        options.experimental = true;
        options.delayed_name_removal = true;
        return options;
    }
    explicit ScriptRunner(EngineOptions options = script_options()) : engine_(options) {}

    // Errors: InvalidArgument, naming each line whose expectation failed and how.
    Result<Unit> run(std::string_view script);

    const MemoryQuerier& data() const { return data_; }
    std::size_t evaluations() const { return evaluations_; }

private:
    struct Block;

    Result<Unit> load(const Block& block);
    Result<Unit> evaluate(const Block& block);
    Result<Unit> evaluate_range(const Block& block, std::string_view rest);
    Result<Unit> evaluate_instant(const Block& block, std::string_view rest);

    Engine engine_;
    MemoryQuerier data_;
    std::size_t evaluations_ = 0;
};

}  // namespace stoker::promql
