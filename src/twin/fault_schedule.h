// Something goes wrong every few minutes: sets faults at simulated engines, one after another, so that a demonstration
// has incidents to show.
//
// Runs on one loop; start and stop are thread-safe.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace stoker::twin {

struct FaultScheduleOptions {
    std::vector<std::string> engines;  // Base URLs of simulated engines, hit in turn. REQUIRES: not empty.
    Duration first{30'000};            // From start() to the first fault.
    Duration every{180'000};
    std::vector<std::string>
        faults;  // Bodies for POST /sim/faults, in turn; empty: a crash, a hang, slowness, errors, ...
    // Told of each fault that was set (`error` empty) or could not be. On the loop.
    std::function<void(const std::string& engine, const std::string& fault, const std::string& error)> on_fault;
};

// What a schedule without faults of its own sets.
const std::vector<std::string>& usual_faults();

class FaultSchedule {
public:
    // Errors: InvalidArgument (a URL, a fault).
    static Result<std::unique_ptr<FaultSchedule>> create(boost::asio::io_context& loop, FaultScheduleOptions options);
    virtual ~FaultSchedule() = default;  // stop()

    virtual void start() = 0;
    // REQUIRES: from no loop, while the loop runs.
    virtual void stop() = 0;
};

}  // namespace stoker::twin
