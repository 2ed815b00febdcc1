// An engine that does no work: OpenAI chat completions from memory, single-threaded, so that what a benchmark measures
// is the proxy in front of it.
//
// It understands what the load generator sends and no more: `max_tokens`, `stream`, `stream_options.include_usage`, and
// in `user` the pace of a stream, "40 tokens/s" (without it all tokens come at once). The text of each event holds the
// time at which it was written: "@" and nanoseconds of the steady clock, which processes of one machine share.
#pragma once

#include <string>

#include "base/result.h"

namespace stoker::bench {

// Serves until the process ends. Errors: those of listening.
Result<Unit> run_upstream(const std::string& address);

}  // namespace stoker::bench
