// OpenAI's responses on the wire: POST /v1/responses and its events.
//
// Pure functions, thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/openai.h"

namespace stoker::wire {

// {"object":"response","status":"completed","output":[...],"usage":{...}}
Result<AnswerScan> scan_response_answer(std::string_view json);
// response.created ... response.output_text.delta ... response.completed | .incomplete | .failed, error.
Result<AnswerScan> scan_response_event(std::string_view json);

// The id of the response that a whole answer is, or that an event is of; empty if it names none.
std::string response_id(std::string_view json);

}  // namespace stoker::wire
