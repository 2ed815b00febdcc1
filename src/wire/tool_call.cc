#include "wire/tool_call.h"

#include "wire/scan.h"

namespace stoker::wire {
namespace {

struct Found {
    bool call = false;
    bool more = false;  // Arguments, text, anything else for the user.
};

// {"function":{"name":...,"arguments":...}}, {"custom":{"name":...,"input":...}}; an older function_call is what a tool
// call has as its `function`.
void read_call(JsonCursor& json, Found& found) {
    if (!enter_object(json)) return;
    found.call = true;
    for (std::string_view key; json.next_key(key);) {
        if (key == "function" || key == "custom") {
            read_call(json, found);
        } else if (key == "arguments" || key == "input") {
            found.more |= holds_something(json);
        } else {
            json.skip();
        }
    }
}

void read_calls(JsonCursor& json, Found& found) {
    const JsonKind kind = json.peek();
    if (kind == JsonKind::Object) return read_call(json, found);
    if (kind != JsonKind::Array) {
        json.skip();
        return;
    }
    json.begin_array();
    while (json.next_element()) read_call(json, found);
}

void read_delta(JsonCursor& json, Found& found) {
    if (!enter_object(json)) return;
    for (std::string_view key; json.next_key(key);) {
        if (key == "tool_calls" || key == "function_call") {
            read_calls(json, found);
        } else if (key == "content" || key == "reasoning_content" || key == "reasoning" || key == "refusal" ||
                   key == "audio") {
            found.more |= holds_something(json);
        } else {
            json.skip();
        }
    }
}

void read_choices(JsonCursor& json, Found& found) {
    if (json.peek() != JsonKind::Array) {
        json.skip();
        return;
    }
    json.begin_array();
    while (json.next_element()) {
        if (!enter_object(json)) continue;
        for (std::string_view key; json.next_key(key);) {
            if (key == "delta") {
                read_delta(json, found);
            } else {
                json.skip();
            }
        }
    }
}

// {"type":"tool_use","name":...,"input":{}}
void read_block(JsonCursor& json, Found& found) {
    if (!enter_object(json)) return;
    for (std::string_view key; json.next_key(key);) {
        if (key == "name") {
            found.call |= holds_something(json);
        } else if (key == "text" || key == "thinking" || key == "input") {
            found.more |= holds_something(json);
        } else {
            json.skip();
        }
    }
}

}  // namespace

bool opens_tool_call(Dialect dialect, std::string_view json) {
    if (dialect != Dialect::Chat && dialect != Dialect::Messages) return false;  // Others' openings are no content.
    if (json.find(R"("name")") == std::string_view::npos) return false;
    const std::string_view place = dialect == Dialect::Chat ? "choices" : "content_block";
    JsonCursor cursor(json);
    Found found;
    cursor.begin_object();
    for (std::string_view key; cursor.next_key(key);) {
        if (key != place) {
            cursor.skip();
        } else if (dialect == Dialect::Chat) {
            read_choices(cursor, found);
        } else {
            read_block(cursor, found);
        }
    }
    return cursor.end() && found.call && !found.more;
}

}  // namespace stoker::wire
