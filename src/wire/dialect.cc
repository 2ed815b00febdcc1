#include "wire/dialect.h"

#include "base/text.h"
#include "wire/messages.h"
#include "wire/responses.h"
#include "wire/scan.h"

namespace stoker::wire {

Result<AnswerScan> scan_answer(Dialect dialect, std::string_view json) {
    switch (dialect) {
        case Dialect::Messages:
            return scan_message_answer(json);
        case Dialect::Responses:
            return scan_response_answer(json);
        default:
            return scan_answer(json);
    }
}

Result<AnswerScan> scan_event(Dialect dialect, std::string_view json) {
    switch (dialect) {
        case Dialect::Messages:
            return scan_message_event(json);
        case Dialect::Responses:
            return scan_response_event(json);
        case Dialect::Chat:
            return scan_answer(json);
        case Dialect::Other:
            break;
    }
    auto scan = scan_answer(json);
    if (scan) scan->has_content = true;
    return scan;
}

std::string_view last_event(Dialect dialect) {
    switch (dialect) {
        case Dialect::Chat:
            return "data: [DONE]\n\n";
        case Dialect::Messages:
            return "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
        default:
            return {};
    }
}

std::string error_body(Dialect dialect, const ErrorText& error) {
    if (dialect != Dialect::Messages) return error_body(error.message, error.type, error.code, error.param);
    return R"({"type":"error","error":{"type":)" + quote_json(message_error_type(error.status)) + R"(,"message":)" +
           quote_json(error.message) + R"(,"code":)" + quote_json(error.code) + "}}";
}

std::string error_event(Dialect dialect, const ErrorText& error, std::optional<std::int64_t> sequence) {
    const std::string body = error_body(dialect, error);
    if (dialect == Dialect::Messages) return "event: error\ndata: " + body + "\n\n";
    if (dialect != Dialect::Responses) return "data: " + body + "\n\n";
    // The API's own fields stand at the top; the object is what OpenAI's clients look for to raise an error.
    return R"(event: error
data: {"type":"error","code":)" +
           quote_json(error.code) + R"(,"message":)" + quote_json(error.message) +
           R"(,"param":null,"sequence_number":)" + std::to_string(sequence.value_or(-1) + 1) + "," + body.substr(1) +
           "\n\n";
}

bool is_error_body(Dialect dialect, std::string_view text) {
    JsonCursor json(text);
    bool error = false;
    bool typed = false;
    json.begin_object();
    for (std::string_view key; json.next_key(key);) {
        if (key == "error") {
            error = json.peek() == JsonKind::Object;
            json.skip();
        } else if (key == "type" && json.peek() == JsonKind::String) {
            typed = json.raw_string() == "error";
        } else {
            json.skip();
        }
    }
    return json.end() && error && (typed || dialect != Dialect::Messages);
}

}  // namespace stoker::wire
