// Anthropic's messages on the wire: POST /v1/messages and its events.
//
// Pure functions, thread-safe.
#pragma once

#include <string_view>

#include "base/result.h"
#include "wire/openai.h"

namespace stoker::wire {

// {"type":"message","content":[...],"stop_reason":...,"usage":{...}}
Result<AnswerScan> scan_message_answer(std::string_view json);
// message_start, content_block_delta, message_delta, message_stop, ping, error.
Result<AnswerScan> scan_message_event(std::string_view json);

// "not_found_error" for 404, and back. 500 for a type that is not known.
std::string_view message_error_type(int status);
int message_error_status(std::string_view type);

}  // namespace stoker::wire
