// What to make of a failed attempt: whose fault it was, whether another replica may do better, and what to tell the
// client if none does.
//
// Only the client's first byte ends the chance of a retry; that is the caller's to know. Pure, thread-safe.
#pragma once

#include <optional>
#include <string_view>

#include "base/time.h"
#include "gateway/errors.h"
#include "gateway/options.h"
#include "net/client.h"

namespace stoker::gateway {

struct Verdict {
    bool retry = false;          // Another replica may help.
    bool replica_fault = false;  // Counts as a failure of the replica's own making.
    bool rest = false;           // The replica asked to be left alone for a while.
    GatewayError error{};        // For the client, if this was the last attempt.
};

// The attempt failed below HTTP. REQUIRES: fault is neither None nor Cancelled.
Verdict judge_fault(net::Fault fault);

// The attempt was answered with this status. Empty: the answer is the client's, whatever it says. A 500 may be the
// request's own doing, so it is tried elsewhere once: `earlier_500s` is how many came before.
std::optional<Verdict> judge_status(int status, int earlier_500s);

// The stream broke before its first content, in this way; `upstream_status` is what the engine's own error event said,
// or 0.
Verdict judge_stream(GatewayError error, int upstream_status);

// What happened, for the client: addresses and system errors are for the log.
std::string_view describe(net::Fault fault);

// How long to wait before a replica is asked again: backoff_base doubled for each earlier wait, at most backoff_max, of
// which `random` (in [0, 1)) takes away up to half.
Duration backoff(const RetryOptions& options, int earlier_waits, double random);

}  // namespace stoker::gateway
