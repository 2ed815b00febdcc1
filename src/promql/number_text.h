// Sample values and times appended as text, fast: a range query's answer has millions of them.
#pragma once

#include <cstdint>
#include <string>

#include "tsdb/querier.h"

namespace stoker::promql {

// As format_sample_value() writes it.
void append_sample_value(std::string& out, double value);

// As format_seconds() writes it.
void append_seconds(std::string& out, std::int64_t millis);

// [SECONDS,"VALUE"]
void append_json_point(std::string& out, const tsdb::Sample& sample);

}  // namespace stoker::promql
