#include "wire/responses.h"

#include "wire/scan.h"

namespace stoker::wire {
namespace {

// "invalid_prompt", "rate_limit_exceeded", or a number in some engines.
int status_of_code(JsonCursor& json) {
    if (json.peek() == JsonKind::Number) {
        const auto code = json.integer().value_or(0);
        return code >= 400 && code < 600 ? static_cast<int>(code) : 0;
    }
    if (json.peek() != JsonKind::String) {
        json.skip();
        return 0;
    }
    const std::string_view code = json.raw_string();
    if (code == "rate_limit_exceeded") return 429;
    if (code == "context_length_exceeded" || code.starts_with("invalid_")) return 400;
    return 0;
}

void scan_error(JsonCursor& json, AnswerScan& scan) {
    scan.has_error = true;
    if (!enter_object(json)) return;
    for (std::string_view key; json.next_key(key);) {
        if (key == "code") {
            scan.error_status = status_of_code(json);
        } else if (key == "message" && json.peek() == JsonKind::String) {
            scan.error_message = json.raw_string();
        } else {
            json.skip();
        }
    }
}

void scan_incomplete(JsonCursor& json, AnswerScan& scan) {
    if (!enter_object(json)) return;
    for (std::string_view key; json.next_key(key);) {
        if (key == "reason" && json.peek() == JsonKind::String) {
            scan.finish_reason = json.raw_string();
        } else {
            json.skip();
        }
    }
}

// A response object, whole or as an event carries it. REQUIRES: the cursor stands inside it.
void scan_members(JsonCursor& json, AnswerScan& scan) {
    std::string_view status;
    for (std::string_view key; json.next_key(key);) {
        if (key == "usage" && json.peek() == JsonKind::Object) {
            scan.usage = scan_usage(json);
        } else if (key == "status" && json.peek() == JsonKind::String) {
            status = json.raw_string();
        } else if (key == "incomplete_details") {
            scan_incomplete(json, scan);
        } else if (key == "error" && json.peek() != JsonKind::Null) {
            scan_error(json, scan);
        } else if (key == "output") {
            scan.has_content |= holds_something(json);
        } else {
            json.skip();
        }
    }
    if (scan.finish_reason.empty()) scan.finish_reason = status;
}

struct Event {
    std::string_view type;
    std::string_view message;  // Of an error event, which has its words at the top.
    int error_status = 0;
    bool delta = false;
};

void scan_event_member(JsonCursor& json, std::string_view key, Event& event, AnswerScan& scan) {
    if (key == "type" && json.peek() == JsonKind::String) {
        event.type = json.raw_string();
    } else if (key == "response" && json.peek() == JsonKind::Object) {
        json.begin_object();
        scan_members(json, scan);
    } else if (key == "delta") {
        event.delta = holds_something(json);
    } else if (key == "sequence_number" && json.peek() == JsonKind::Number) {
        scan.sequence = json.integer();
    } else if (key == "message" && json.peek() == JsonKind::String) {
        event.message = json.raw_string();
    } else if (key == "code") {
        event.error_status = status_of_code(json);
    } else if (key == "error" && json.peek() != JsonKind::Null) {
        scan_error(json, scan);
    } else {
        json.skip();
    }
}

}  // namespace

Result<AnswerScan> scan_response_answer(std::string_view text) {
    AnswerScan scan;
    JsonCursor json(text);
    json.begin_object();
    scan_members(json, scan);
    scan.choices_seen = 1;
    return finished(json, scan);
}

Result<AnswerScan> scan_response_event(std::string_view text) {
    AnswerScan scan;
    JsonCursor json(text);
    Event event;
    json.begin_object();
    for (std::string_view key; json.next_key(key);) scan_event_member(json, key, event, scan);
    scan.has_content = event.delta;
    scan.choices_seen = 1;
    const bool last = event.type == "response.completed" || event.type == "response.incomplete";
    if (last) {
        scan.ends = true;
        scan.choices_finished = 1;
    } else {
        scan.finish_reason = {};
    }
    if (event.type == "error") {
        scan.has_error = true;
        if (scan.error_message.empty()) scan.error_message = event.message;
        if (scan.error_status == 0) scan.error_status = event.error_status;
    }
    if (event.type == "response.failed") scan.has_error = true;
    return finished(json, scan);
}

std::string response_id(std::string_view json) {
    JsonCursor cursor(json);
    std::string id;
    bool event = false;
    const auto read_id = [&cursor](std::string& into) {
        if (cursor.peek() == JsonKind::String) {
            into = unescape(cursor.raw_string());
        } else {
            cursor.skip();
        }
    };
    cursor.begin_object();
    for (std::string_view key; cursor.next_key(key);) {
        if (key_is(key, "id") && !event) {
            read_id(id);
        } else if (key_is(key, "response") && cursor.peek() == JsonKind::Object) {
            event = true;
            cursor.begin_object();
            for (std::string_view inner; cursor.next_key(inner);) {
                if (key_is(inner, "id")) {
                    read_id(id);
                } else {
                    cursor.skip();
                }
            }
        } else {
            cursor.skip();
        }
    }
    return cursor.failed() ? std::string() : id;
}

}  // namespace stoker::wire
