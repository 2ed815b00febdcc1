// Spans of generations, whatever their instrumentation calls things: OpenTelemetry's GenAI conventions with the names
// they had before, OpenInference (Phoenix, Arize) and OpenLLMetry (Traceloop).
//
// Canonical names are those of the GenAI conventions 1.41. What a span lacks of them is added from what it has under
// another name; nothing that was sent is changed or taken away. Pure, thread-safe.
#pragma once

#include "records/telemetry.h"
#include "wire/received_spans.h"

namespace stoker::api {

// Adds the canonical attributes that follow from others.
void normalise_genai(wire::JsonAttributes& attributes);

// Sets operation, provider, model and tokens from canonical attributes. REQUIRES: they were normalised.
void set_genai_fields(const wire::JsonAttributes& attributes, records::SpanRow& span);

}  // namespace stoker::api
