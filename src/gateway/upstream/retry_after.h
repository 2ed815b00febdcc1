// Retry-After as RFC 9110 (10.2.3) has it: seconds, or one of the three forms of an HTTP date (5.6.7). Pure.
#pragma once

#include <optional>
#include <string_view>

#include "base/time.h"

namespace stoker::gateway {

// From `now` on; dates in the past are 0, more than an hour is an hour, and nonsense counts as absent.
std::optional<Duration> parse_retry_after(std::optional<std::string_view> header, Timestamp now);

}  // namespace stoker::gateway
