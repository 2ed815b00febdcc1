// What a destination's answer means to the agent, beyond what remote write itself says (collect::judge).
//
// Pure functions.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"
#include "collect/send/remote_write_sender_shard.h"
#include "net/http.h"
#include "wire/remote_write.h"

namespace stoker::agent {

// How the request was sent.
struct SentAs {
    wire::RemoteWriteVersion version = wire::RemoteWriteVersion::V2;
    bool zstd = false;
    bool knows_zstd = false;  // The receiver took zstd before.
    bool otlp = false;        // By OTLP/HTTP; then nothing of the above counts.
};

struct Judgement {
    collect::SendAnswer answer;
    bool to_v1 = false;      // Send by 1.0 from now on.
    bool to_snappy = false;  // Send in snappy from now on.
    std::string error;       // Empty if all was taken.
};

// What a wrong token, path or certificate refuses (401, 403, 404, 407) is tried again: an agent's buffer must not be
// emptied by a mistake that somebody will correct. zstd is not in the specification: a receiver that refuses a first
// request in it is asked in snappy.
// OTLP/HTTP: what a receiver left out of a request that it took stands in its answer, and only 429, 502, 503 and 504
// are tried again (opentelemetry.io/docs/specs/otlp, "Failures") besides those.
Judgement judge(const Result<net::Response>& response, SentAs sent, std::size_t samples);

}  // namespace stoker::agent
