#include "wire/messages.h"

#include "wire/scan.h"

namespace stoker::wire {
namespace {

struct ErrorType {
    int status;
    std::string_view name;
};

// Anthropic's documented classes; the first of a name is what that name means.
constexpr ErrorType kErrorTypes[] = {
    {400, "invalid_request_error"}, {401, "authentication_error"}, {402, "billing_error"},    {403, "permission_error"},
    {404, "not_found_error"},       {413, "request_too_large"},    {429, "rate_limit_error"}, {500, "api_error"},
    {504, "timeout_error"},         {529, "overloaded_error"},     {503, "overloaded_error"},
};

// {"type":"text_delta","text":"..."}: a signature is no content, all else is if it holds something.
void scan_delta(JsonCursor& json, AnswerScan& scan) {
    if (!enter_object(json)) return;
    for (std::string_view key; json.next_key(key);) {
        if (key == "text" || key == "partial_json" || key == "thinking") {
            scan.has_content |= holds_something(json);
        } else if (key == "stop_reason" && json.peek() == JsonKind::String) {
            scan.finish_reason = json.raw_string();
            scan.choices_finished = 1;
        } else {
            json.skip();
        }
    }
}

void scan_error(JsonCursor& json, AnswerScan& scan) {
    scan.has_error = true;
    if (!enter_object(json)) return;
    for (std::string_view key; json.next_key(key);) {
        if (key == "type" && json.peek() == JsonKind::String) {
            scan.error_status = message_error_status(json.raw_string());
        } else if (key == "message" && json.peek() == JsonKind::String) {
            scan.error_message = json.raw_string();
        } else {
            json.skip();
        }
    }
}

// The `message` of message_start, or a whole answer.
void scan_member(JsonCursor& json, std::string_view key, AnswerScan& scan) {
    if (key == "usage" && json.peek() == JsonKind::Object) {
        scan.usage = scan_usage(json);
    } else if (key == "stop_reason" && json.peek() == JsonKind::String) {
        scan.finish_reason = json.raw_string();
        scan.choices_finished = 1;
    } else if (key == "content") {
        scan.has_content |= holds_something(json);
    } else if (key == "error" && json.peek() != JsonKind::Null) {
        scan_error(json, scan);
    } else {
        json.skip();
    }
}

void scan_start(JsonCursor& json, AnswerScan& scan) {
    if (!enter_object(json)) return;
    for (std::string_view key; json.next_key(key);) scan_member(json, key, scan);
}

// A tool's name is content before its arguments are.
void scan_block(JsonCursor& json, AnswerScan& scan) {
    if (!enter_object(json)) return;
    for (std::string_view key; json.next_key(key);) {
        if (key == "text" || key == "name" || key == "thinking") {
            scan.has_content |= holds_something(json);
        } else {
            json.skip();
        }
    }
}

}  // namespace

std::string_view message_error_type(int status) {
    for (const ErrorType& type : kErrorTypes) {
        if (type.status == status) return type.name;
    }
    return status >= 500 ? "api_error" : "invalid_request_error";
}

int message_error_status(std::string_view type) {
    for (const ErrorType& known : kErrorTypes) {
        if (known.name == type) return known.status;
    }
    return 500;
}

Result<AnswerScan> scan_message_answer(std::string_view text) {
    AnswerScan scan;
    JsonCursor json(text);
    json.begin_object();
    for (std::string_view key; json.next_key(key);) scan_member(json, key, scan);
    scan.choices_seen = 1;
    return finished(json, scan);
}

Result<AnswerScan> scan_message_event(std::string_view text) {
    AnswerScan scan;
    JsonCursor json(text);
    std::string_view type;
    json.begin_object();
    for (std::string_view key; json.next_key(key);) {
        if (key == "type" && json.peek() == JsonKind::String) {
            type = json.raw_string();
        } else if (key == "message") {
            scan_start(json, scan);
        } else if (key == "delta") {
            scan_delta(json, scan);
        } else if (key == "content_block") {
            scan_block(json, scan);
        } else if (key == "usage" && json.peek() == JsonKind::Object) {
            scan.usage = scan_usage(json);
        } else if (key == "error" && json.peek() != JsonKind::Null) {
            scan_error(json, scan);
        } else {
            json.skip();
        }
    }
    if (type == "message_start") {
        scan.choices_seen = 1;
        scan.usage_so_far = true;
        scan.has_content = false;
    }
    scan.ends = type == "message_stop";
    return finished(json, scan);
}

}  // namespace stoker::wire
