// Native histograms as text: as answers and the label of count_values show them, and as scripts write them.
#pragma once

#include <string>

#include "tsdb/histogram.h"

namespace stoker::promql {

// {count:3, sum:4.5, (1,2]:3}: populated buckets from the lowest to the highest.
std::string histogram_text(const tsdb::Histogram& histogram);

// {{schema:1 count:3 sum:4.5 buckets:[3]}}: what series_text.h reads. Gaps between buckets are written as zeros.
std::string histogram_literal(const tsdb::Histogram& histogram);

// The JSON object of Prometheus' HTTP API: {"count":"3","sum":"4.5","buckets":[[0,"1","2","3"]]}.
void append_json_histogram(std::string& out, const tsdb::Histogram& histogram);

}  // namespace stoker::promql
