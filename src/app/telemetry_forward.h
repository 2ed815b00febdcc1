// OTLP requests of what the telemetry store's journals hold: spans and lines of log on their way to others. Pure.
#pragma once

#include <span>

#include "journal/journal.h"
#include "outward/otlp_sender.h"
#include "wire/otlp.h"

namespace stoker::app {

// Of records from the front, a few thousand spans or lines of them; `resource` as in wire/otlp_forward.h.
outward::OtlpBatch otlp_spans(std::span<const journal::Record> records, const wire::otlp::Attributes& resource);
outward::OtlpBatch otlp_logs(std::span<const journal::Record> records, const wire::otlp::Attributes& resource);

}  // namespace stoker::app
