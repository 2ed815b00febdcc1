// The load generator: closed-loop HTTP clients on one thread, over epoll and nothing else, so that what it measures is
// the server and not itself.
//
// Every client sends a fixed request, waits for the whole answer, and sends again, on a connection that it keeps.
// Latency is from the first byte written to the last byte read. Single-threaded; a run blocks for its duration.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace stoker::bench {

struct LoadOptions {
    std::string address;  // HOST:PORT, the host as an IPv4 address.
    std::string request;  // The whole request, head and body.
    int clients = 1;
    Duration warm_up{500};  // Not counted.
    Duration duration{3'000};
    std::function<void()> at_start;  // Called when counting begins.
};

struct LoadResult {
    std::uint64_t requests = 0;
    std::uint64_t failures = 0;  // Statuses other than 200, cut or malformed answers.
    double seconds = 0;
    std::vector<std::uint32_t> latency_us;     // Ascending, in units of 0.1 µs; one for each request.
    std::vector<std::uint32_t> first_byte_us;  // To the first byte of the body, likewise.
    std::string first_failure;                 // What went wrong first; empty if nothing did.

    double per_second() const { return seconds > 0 ? static_cast<double>(requests) / seconds : 0; }
};

// Errors: Unavailable if no connection could be made at all.
Result<LoadResult> run_load(const LoadOptions& options);

// The value below which the share `q` of ascending `values` lies, in microseconds; 0 if there are none.
double quantile_us(const std::vector<std::uint32_t>& values, double q);

// A POST of a JSON body, kept alive. `header_lines` end in CRLF each.
std::string post_request(std::string_view address, std::string_view path, std::string_view body,
                         std::string_view header_lines = {});

}  // namespace stoker::bench
