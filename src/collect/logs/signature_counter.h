// Counts recognised failures by signature and service, as metrics that alerts can rely on.
//
// stoker_log_signature_total counts occurrences: a line, or for signatures with a burst, each time that a service
// reaches its number of lines. increase() cannot see the first count of a new series, so
// stoker_log_signature_last_seen_timestamp_seconds says when the last one was. Thread-safe.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/metrics.h"
#include "base/sync.h"
#include "base/time.h"
#include "collect/logs/signature_file.h"

namespace stoker::collect {

class SignatureCounter {
public:
    // REQUIRES: `registry` outlives it.
    explicit SignatureCounter(metrics::Registry& registry);

    // One matching line; whether it makes an occurrence.
    bool count(const SignatureSpec& spec, const std::string& service, Timestamp time);

private:
    static constexpr std::size_t kMostServices = 500;  // Those after them are counted as "other".
    static constexpr std::size_t kMostBursts = 10'000;

    metrics::Family<metrics::Counter>& occurrences_;
    metrics::Family<metrics::Gauge>& last_seen_;
    Mutex mutex_;
    std::set<std::string> services_ GUARDED_BY(mutex_);
    std::map<std::pair<std::string, std::string>, std::deque<Timestamp>> bursts_ GUARDED_BY(mutex_);
};

}  // namespace stoker::collect
