// Where every collected line of log goes: its failure signature is recognised and counted, then it is stored, then
// shown to those who follow.
//
// Accepted lines survive SIGKILL. Thread-safe; takes milliseconds for a batch.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/log_tail.h"
#include "base/metrics.h"
#include "base/sync.h"
#include "collect/logs/log_entry.h"
#include "collect/logs/signature_counter.h"
#include "collect/logs/signatures.h"
#include "records/telemetry_store.h"

namespace stoker::app {

// A budget of lines a second, of which a burst may take two seconds' worth. Not thread-safe.
class LineBudget {
public:
    // 0: no limit.
    explicit LineBudget(std::int64_t per_second)
        : per_second_(static_cast<double>(per_second)), left_(per_second_ * 2) {}

    // Whether so many may come now. A batch is never refused for its size alone.
    bool take(std::size_t lines, SteadyTime now);

private:
    const double per_second_;
    double left_;
    SteadyTime last_{};
};

// As it is stored.
records::LogRow log_row(collect::LogEntry entry);

class LogPipeline : public collect::LogSink {
public:
    // Called with each occurrence of a failure, on the thread that appends.
    using Tell = std::function<void(const collect::SignatureSpec&, const records::LogRow&)>;

    // REQUIRES: all outlive it.
    LogPipeline(records::TelemetryStore& store, std::shared_ptr<const collect::Signatures> signatures,
                std::int64_t max_lines_per_second, api::LogTail& tail, Tell tell, metrics::Registry& registry);

    Result<Unit> append(std::vector<collect::LogEntry> entries) override;

private:
    struct Occurrence {
        std::size_t signature;
        std::size_t entry;
    };

    void recognise(std::vector<collect::LogEntry>& entries, std::vector<Occurrence>& found) const;

    records::TelemetryStore& store_;
    const std::shared_ptr<const collect::Signatures> signatures_;
    api::LogTail& tail_;
    const Tell tell_;
    collect::SignatureCounter counter_;
    metrics::Family<metrics::Counter>& stored_;
    metrics::Counter& refused_;
    metrics::Counter& over_rate_;
    Mutex mutex_;
    LineBudget budget_ GUARDED_BY(mutex_);
};

}  // namespace stoker::app
