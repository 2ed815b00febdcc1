// Searches over stored spans: which traces there are, and one trace whole.
//
// Each runs on a connection of TelemetryStore::read(), which bounds its time. Not thread-safe by itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "records/duck.h"
#include "records/telemetry.h"

namespace stoker::records {

// Empty fields select everything. What is asked of a span must hold of one span of the trace.
struct TraceFilter {
    std::int64_t from_ns = 0;  // When the span began: from (inclusive)
    std::int64_t to_ns = 0;    // to (exclusive); 0: no end.
    std::string service{};
    std::string name{};  // Of the span ("operation").
    std::string model{};
    std::string text{};                                       // Part of the name or of an attribute, in any case.
    std::vector<std::pair<std::string, std::string>> tags{};  // Attributes of span or resource, as text.
    std::int64_t min_duration_ns = 0;
    std::int64_t max_duration_ns = 0;  // 0: no limit.
    bool errors = false;               // Only failed spans.
    std::size_t limit = 100;           // Traces.
    // A search that takes longer ends with what it has, at the next older stretch of time. Empty: it goes on to the
    // end.
    std::optional<Duration> budget{};
};

// Of all the trace's spans, not only of those that the filter found.
struct TraceSummary {
    std::string trace_id;
    std::string name;     // Of its root, or of its first span where the root is not there.
    std::string service;  // The same.
    std::int64_t start_ns = 0;
    std::int64_t duration_ns = 0;
    std::int64_t spans = 0;
    std::int64_t errors = 0;    // Spans that failed.
    std::int64_t services = 0;  // How many different ones.
    std::string model;          // Of a generation in it.
    std::int64_t input_tokens = 0;
    std::int64_t output_tokens = 0;
    double weight = 1;
};

struct TraceList {
    std::vector<TraceSummary> traces;  // Newest first.
    bool complete = true;  // Nothing that was asked for is older than searched_from_ns, or the list is full.
    std::int64_t searched_from_ns = 0;
};
Result<TraceList> find_traces(duck::Connection& connection, const TraceFilter& filter);

// The spans of the trace by start, at most `most`; each once, however often its sender sent it. `near_ns`, if not 0, is
// a time within the trace: it is looked for there first. Errors: NotFound.
Result<std::vector<SpanRow>> get_trace(duck::Connection& connection, const std::string& trace_id, std::int64_t near_ns,
                                       std::size_t most);

// Names of services with spans since `from_ns`, in order.
Result<std::vector<std::string>> trace_services(duck::Connection& connection, std::int64_t from_ns);

struct TraceOperation {
    std::string name;
    std::string kind;
};
// Of the service, since `from_ns`, the most frequent 1000 in order of name. `kind`: empty for any.
Result<std::vector<TraceOperation>> trace_operations(duck::Connection& connection, const std::string& service,
                                                     const std::string& kind, std::int64_t from_ns);

struct TraceDependency {
    std::string parent;
    std::string child;
    std::int64_t calls = 0;  // Corrected for sampling.
};
Result<std::vector<TraceDependency>> trace_dependencies(duck::Connection& connection, std::int64_t from_ns,
                                                        std::int64_t to_ns);

}  // namespace stoker::records
