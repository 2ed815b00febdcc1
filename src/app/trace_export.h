// Sends the traces of requests to an OTLP/HTTP receiver (a collector, Jaeger, Tempo, Langfuse).
//
// Spans are made from the records in the journal, so a receiver that is away for a while misses nothing, and after a
// crash the last batch may arrive twice. configure() is thread-safe; send() is for one thread and blocks.
#pragma once

#include <map>
#include <string>

#include "app/journal_place.h"
#include "base/metrics.h"
#include "base/sync.h"
#include "base/time.h"

namespace stoker::app {

struct TraceExportOptions {
    std::string endpoint;  // http(s)://HOST:4318/v1/traces; empty: nothing is sent.
    std::map<std::string, std::string> headers;
    double sample = 1;  // Share of the requests that went well; others are always sent.
    Duration timeout{10'000};
    std::map<std::string, std::string> resource;  // Attributes beside service.name.
};

class TraceExport {
public:
    // All outlive it.
    TraceExport(journal::Journal& journal, state::StateStore& state, metrics::Registry& registry);

    void configure(TraceExportOptions options);

    // Sends what came since the last call, unless the receiver asked for a pause.
    void send();

private:
    Result<Unit> send_batch(const TraceExportOptions& options, std::span<const journal::Record> records);
    Result<Unit> post(const TraceExportOptions& options, const std::string& body, std::size_t spans);

    JournalPlace place_;
    metrics::Counter& sent_;
    metrics::Counter& refused_;
    metrics::Counter& failures_;
    mutable Mutex mutex_;
    TraceExportOptions options_ GUARDED_BY(mutex_);

    // Of the sending thread.
    SteadyTime not_before_{};
    Duration backoff_{0};
};

}  // namespace stoker::app
