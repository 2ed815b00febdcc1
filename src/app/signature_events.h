// Tells of failures that were recognised in logs as events (docs/events.md): one a minute for each signature and
// service at most, which says how many there were, so that a storm of lines is no storm of events.
//
// Thread-safe; takes as long as an append to the event log.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "base/sync.h"
#include "base/time.h"
#include "collect/logs/signature_file.h"
#include "outward/event_log.h"
#include "records/telemetry.h"

namespace stoker::app {

class SignatureEvents {
public:
    // REQUIRES: the log outlives it.
    explicit SignatureEvents(outward::EventLog& log) : log_(log) {}

    // An occurrence of the signature in `line`. Lines of more than an hour ago, as of a file that is read from its
    // beginning, are no event.
    void tell(const collect::SignatureSpec& signature, const records::LogRow& line, Timestamp now);

private:
    struct Told {
        Timestamp at{};
        std::uint64_t since = 0;  // Occurrences that no event told of.
    };
    static constexpr std::size_t kMostKnown = 10'000;

    outward::EventLog& log_;
    Mutex mutex_;
    std::map<std::pair<std::string, std::string>, Told> told_ GUARDED_BY(mutex_);  // By signature and service.
};

}  // namespace stoker::app
