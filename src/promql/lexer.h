// Splits a query into tokens. No state beyond the text: one call, all tokens.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "promql/token.h"

namespace stoker::promql {

// All tokens of `query`, closed by one of kind End; comments and space are left out. Where the text can't be read the
// last one is of kind Error: whether it matters depends on what the parser finds before it.
std::vector<Token> tokenize(std::string_view query);

// The error every stage before evaluation reports.
Error parse_error(std::string_view query, std::size_t offset, std::string_view message);

// "1h30m" to milliseconds; false if it is no duration or too long for 64 bits of nanoseconds, as Prometheus refuses it.
bool read_duration(std::string_view text, std::int64_t& millis);

// A float as Go's strconv.ParseFloat reads it, plus 0x1f and 0755 as integers. False if it is none.
bool read_number(std::string_view text, double& value);

}  // namespace stoker::promql
