// Reads single numbers out of the metrics store for pages: PromQL in, optional numbers out.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/time.h"
#include "promql/engine.h"
#include "tsdb/querier.h"

namespace stoker::api {

class MetricReader {
public:
    MetricReader(const promql::Engine& engine, const tsdb::Querier& querier, Timestamp at)
        : engine_(engine), querier_(querier), at_(at) {}

    // The value of a query that gives one sample; empty if it gives none, fails, or gives NaN or an infinity: "not
    // known" is never 0.
    std::optional<double> one(const std::string& query) const;

    // Values by the label `by`; series without that label are left out.
    std::map<std::string, double> by(const std::string& label, const std::string& query) const;

private:
    const promql::Engine& engine_;
    const tsdb::Querier& querier_;
    Timestamp at_;
};

}  // namespace stoker::api
