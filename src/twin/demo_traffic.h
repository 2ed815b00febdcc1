// Traffic for a demonstration: chats of real shape through the gateway, streamed and not, in waves.
//
// Open loop up to a bound: arrivals keep their pace while answers are slow, and are dropped (and counted) once too many
// are under way. With a rate of 0 it is a closed loop: as many at once as allowed, each followed by the next.
//
// Runs on one loop; start, stop and stats are thread-safe.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "twin/trace.h"

namespace stoker::twin {

struct DemoTrafficOptions {
    std::string gateway;              // http://HOST:PORT
    std::vector<std::string> models;  // Asked for in turn. REQUIRES: not empty.
    double rate = 4;                  // Requests a second on average.
    double wave = 0.5;                // The rate swings by this share of itself...
    Duration wave_period{120'000};    // ...once in this time.
    std::size_t max_concurrent = 64;
    double streamed = 0.8;                    // Share of requests.
    std::uint32_t max_prompt_tokens = 1'000;  // Longer ones of the shape are cut.
    std::uint32_t max_output_tokens = 256;
    std::vector<TraceRow> trace;  // Empty: the built-in conversation shape.
    std::string bearer;
    std::uint64_t seed = 1;
};

struct DemoTrafficStats {
    std::uint64_t sent = 0;
    std::uint64_t ok = 0;
    std::uint64_t failed = 0;
    std::uint64_t dropped = 0;  // Not sent: too many under way.
    std::uint64_t completion_tokens = 0;
    std::uint64_t under_way = 0;
};

class DemoTraffic {
public:
    // Errors: InvalidArgument (the gateway's URL, no model).
    static Result<std::unique_ptr<DemoTraffic>> create(boost::asio::io_context& loop, DemoTrafficOptions options);
    virtual ~DemoTraffic() = default;  // stop()

    virtual void start() = 0;
    // Cuts what is under way. REQUIRES: from no loop, while the loop runs.
    virtual void stop() = 0;
    virtual DemoTrafficStats stats() const = 0;
};

}  // namespace stoker::twin
