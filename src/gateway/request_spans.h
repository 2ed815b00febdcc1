// The trace of a request, made from its record: what is kept is the record, and the spans follow from it.
//
//   chat tiny                     SERVER: the whole request, with GenAI's attributes
//     receive | route | limit | queue | cache      what the gateway did before, where it took any time
//     attempt chat/127.0.0.1:9001   CLIENT: one for each try; the engine's own spans hang below it
//     first token | tokens          from the answering attempt's start to the first event, and on to the last
//
// Names of attributes are those of OpenTelemetry's GenAI conventions 1.37; what they have no word for is `stoker.*`.
// Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "records/request_record.h"
#include "wire/otlp_spans.h"

namespace stoker::gateway {

// The id of attempt `number` (from 0) of the request with this span: made from it, so that nothing needs to be kept.
std::string attempt_span_id(std::string_view request_span_id, std::size_t number);

// Empty for a record without a span id, as older versions wrote.
std::vector<wire::otlp::Span> spans_of(const records::RequestRecord& record);

}  // namespace stoker::gateway
