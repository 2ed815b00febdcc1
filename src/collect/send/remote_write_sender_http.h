// The HTTP side of the remote-write sender, as values: the headers of a request, and what an answer means.
#pragma once

#include <string>

#include "base/result.h"
#include "collect/send/remote_write_sender.h"
#include "net/http.h"

namespace stoker::collect {

// Errors: InvalidArgument: a header that remote write sets itself, or two kinds of authorization.
Result<Unit> check_options(const RemoteWriteOptions& options);

// Errors: those of reading the token's file.
Result<net::Headers> request_headers(const RemoteWriteOptions& options, wire::RemoteWriteVersion version);

struct Verdict {
    SendAnswer answer;
    bool fall_back = false;  // The receiver doesn't know 2.0: send by 1.0 from now on.
    std::string error;       // Empty if all was taken.
};

// What the answer to a batch of `items` samples and histograms means.
Verdict judge(const Result<net::Response>& response, wire::RemoteWriteVersion version, std::size_t items);

}  // namespace stoker::collect
