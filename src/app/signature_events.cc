#include "app/signature_events.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace stoker::app {
namespace {

constexpr Duration kApart{60'000};
constexpr Duration kPast{3'600'000};
constexpr std::int64_t kNanosPerMilli = 1'000'000;
constexpr std::size_t kMostText = 2048;  // Of the line; the whole of it is found by its signature.

}  // namespace

void SignatureEvents::tell(const collect::SignatureSpec& signature, const records::LogRow& line, Timestamp now) {
    if (from_millis(line.time_ns / kNanosPerMilli) < now - kPast) return;
    std::uint64_t occurrences = 0;
    {
        MutexLock lock(mutex_);
        if (told_.size() >= kMostKnown) told_.clear();
        auto [known, first] = told_.try_emplace({signature.name, line.service});
        ++known->second.since;
        // A clock that was set back must not silence it.
        if (!first && now >= known->second.at && now - known->second.at < kApart) return;
        occurrences = std::exchange(known->second.since, 0);
        known->second.at = now;
    }
    outward::Event event;
    event.at = now;
    event.type = "log.signature";
    // Signatures know "error" too; of events, what is to be looked at but not at night is a warning.
    event.severity = outward::severity_from(signature.severity == "error" ? "warning" : signature.severity);
    event.subject = line.service;
    event.summary = (line.service.empty() ? "" : line.service + ": ") + signature.summary;
    const nlohmann::json data{{"signature", signature.name},
                              {"action", signature.action},
                              {"occurrences", occurrences},
                              {"line", line.body.substr(0, kMostText)},
                              {"time_ns", std::to_string(line.time_ns)},
                              {"trace_id", line.trace_id},
                              {"source", line.source},
                              {"stream", line.stream}};
    event.data = data.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    log_.publish(std::move(event));
}

}  // namespace stoker::app
