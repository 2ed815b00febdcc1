// The APIs that inference engines speak, behind one face: what an answer or an event says, and how an error is worded.
//
//   Chat       OpenAI's chat completions, completions, embeddings: `choices`, a stream ends with [DONE]
//   Responses  OpenAI's responses: typed events, the last is response.completed (or .incomplete, .failed)
//   Messages   Anthropic's messages: typed events, the last is message_stop
//   Other      anything else: errors and top-level usage are read, all events are content, the stream ends with its
//   body
//
// Pure functions, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/openai.h"

namespace stoker::wire {

enum class Dialect : std::uint8_t { Chat, Responses, Messages, Other };

// What a whole answer says. Errors: InvalidArgument, not JSON, or not an object.
Result<AnswerScan> scan_answer(Dialect dialect, std::string_view json);
// What the data of one event of a stream says. Errors as above.
Result<AnswerScan> scan_event(Dialect dialect, std::string_view json);

// The event that a whole stream ends with, for one that lacks only it. Empty: there is none to be made up.
std::string_view last_event(Dialect dialect);

// An error as this API words it. `code` is stable; `type` is OpenAI's class, which Anthropic's is found from by status.
struct ErrorText {
    int status = 500;
    std::string_view message;
    std::string_view type;
    std::string_view code;
    std::string_view param{};
};
std::string error_body(Dialect dialect, const ErrorText& error);
// The event that ends a stream with it, with its blank line. `sequence` is the last event's number, of Responses.
std::string error_event(Dialect dialect, const ErrorText& error, std::optional<std::int64_t> sequence = {});

// Whether clients of this API can read `json` as an error.
bool is_error_body(Dialect dialect, std::string_view json);

}  // namespace stoker::wire
