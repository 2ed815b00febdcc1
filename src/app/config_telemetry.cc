// storage.telemetry: how long traces and logs are kept, and which traces are.
#include "app/config_telemetry.h"

#include "app/config.h"
#include "app/config_checks.h"
#include "app/config_convert.h"

namespace stoker::app {

void describe(config::Fields& f, SamplingConfig& c) {
    f.field("rate", c.rate,
            "Share of the ordinary traces that is kept, 0 to 1, by trace id; those with an error and slow ones always "
            "are. Counts are corrected by each span's `weight`.");
    f.check("rate", c.rate >= 0 && c.rate <= 1, "must be from 0 to 1");
    f.field("per_second", c.per_second,
            "Ordinary traces kept a second on average, however many come; 0 sets no limit.");
    f.check("per_second", c.per_second >= 0, "must not be negative");
    f.field("slow", c.slow, "A trace with a span at least this long is always kept; 0: none is slow.");
    f.check("slow", c.slow.count() >= 0, "must not be negative");
    f.field("wait", c.wait,
            "How long the spans of a trace are waited for before it is decided, while not every trace is kept; they "
            "are searchable after that.");
    f.check("wait", c.wait.count() >= 0 && c.wait <= std::chrono::minutes(10), "must be from 0 to 10m");
}

void describe(config::Fields& f, TelemetryConfig& c) {
    positive(f, "retention", c.retention, "How long spans and log lines are kept.");
    f.field("max_size", c.max_size,
            "Size of the database past which the oldest tenth goes, however young it is. The file keeps the space for "
            "what comes next.");
    f.check("max_size", c.max_size.count >= (std::uint64_t{16} << 20), "must be at least 16MiB");
    f.field("buffer", c.buffer,
            "Size on disk of what may wait to be loaded, for spans and for logs; past it the oldest is lost.");
    f.check("buffer", c.buffer.count >= (std::uint64_t{16} << 20), "must be at least 16MiB");
    f.field("memory_limit", c.memory_limit, "Memory for the database's buffers and queries together.");
    f.check("memory_limit", c.memory_limit.count >= (std::uint64_t{64} << 20), "must be at least 64MiB");
    f.object("sampling", c.sampling, "Which traces are kept.");
}

records::TelemetryOptions telemetry_options(const Config& config) {
    const TelemetryConfig& c = config.storage.telemetry;
    records::TelemetryOptions options;
    options.retention = c.retention;
    options.max_size = c.max_size;
    options.buffer = c.buffer;
    options.memory_limit = c.memory_limit;
    options.sampling.rate = c.sampling.rate;
    options.sampling.per_second = c.sampling.per_second;
    options.sampling.slow = c.sampling.slow;
    options.sampling.wait = c.sampling.wait;
    return options;
}

api::TracesOptions traces_options(const Config& config) {
    api::TracesOptions options;
    options.max_body_bytes = config.ingest.max_decompressed.count;
    return options;
}

}  // namespace stoker::app
