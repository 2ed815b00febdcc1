// Findings that the metrics store can answer.
#pragma once

#include <string>
#include <vector>

#include "alert/rule_group.h"
#include "diagnose/finding.h"

namespace stoker::diagnose {

// Asks each question about `replica` as of `at`. A question whose metric is not there is left out. Blocks for the time
// of the queries.
std::vector<Observation> ask_metrics(const alert::QueryFn& query, const std::string& replica, Timestamp at);

// What a query's answer is, in short, for people: "0.97", "3 series", "nothing".
std::string show(const promql::Value& value);

}  // namespace stoker::diagnose
