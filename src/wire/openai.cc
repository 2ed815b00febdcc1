#include "wire/openai.h"

#include <simdjson.h>

#include <algorithm>

#include "base/text.h"
#include "wire/scan.h"

namespace stoker::wire {
namespace {

Error request_error(RequestFault fault, std::string message) {
    return {Errc::InvalidArgument, std::move(message), static_cast<std::uint16_t>(fault)};
}

// "line 2, column 5 (byte 17)": people look for lines, programs for bytes.
std::string place(std::string_view text, std::size_t offset) {
    const std::string_view before = text.substr(0, offset);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0.
    return "line " + std::to_string(line) + ", column " + std::to_string(offset - line_begin + 1) + " (byte " +
           std::to_string(offset) + ")";
}

Error malformed(std::string_view body, const JsonCursor& json) {
    return request_error(
        RequestFault::MalformedJson,
        "the request body is not valid JSON: " + std::string(json.problem()) + " at " + place(body, json.offset()));
}

// Reads stream_options, whose edit may be needed.
void scan_stream_options(JsonCursor& json, RequestScan& scan) {
    const JsonKind kind = json.peek();
    if (kind != JsonKind::Object) {
        scan.usage = kind == JsonKind::Null ? UsageAsk::NullOptions : UsageAsk::Unusable;
        scan.usage_value = json.range();
        return;
    }
    json.begin_object();
    scan.usage = UsageAsk::WithoutAsk;
    scan.usage_insert = json.offset();
    scan.usage_object_empty = true;
    for (std::string_view key; json.next_key(key);) {
        scan.usage_object_empty = false;
        if (!key_is(key, "include_usage")) {
            json.skip();
            continue;
        }
        const JsonKind value = json.peek();
        const std::size_t begin = json.offset();
        if (value == JsonKind::Bool) {
            scan.usage = json.boolean() ? UsageAsk::Asked : UsageAsk::Refused;
        } else {
            scan.usage = value == JsonKind::Null ? UsageAsk::Refused : UsageAsk::Unusable;
            json.skip();
        }
        scan.usage_value = {begin, json.offset()};
    }
}

// The fields that decide the route; each may stand once, or two readers of one body could see two requests.
enum Seen : unsigned { kModel = 1, kStream = 2, kStreamOptions = 4 };

// What the model reads beside the conversation itself.
bool is_prompt_too(std::string_view key) {
    for (const std::string_view name :
         {"system", "instructions", "tools", "query", "documents", "text_1", "text_2", "suffix"}) {
        if (key_is(key, name)) return true;
    }
    return false;
}

struct RequestReader {
    JsonCursor json;
    RequestScan scan;
    unsigned seen = 0;
    std::optional<Error> problem;

    bool once(Seen field, std::string_view name) {
        if ((seen & field) != 0) {
            problem = request_error(RequestFault::WrongType, "the field '" + std::string(name) + "' is given twice");
        }
        seen |= field;
        return !problem;
    }

    void wrong_type(std::string_view field, std::string_view wanted) {
        problem = request_error(RequestFault::WrongType,
                                "the field '" + std::string(field) + "' must be " + std::string(wanted));
    }

    void model() {
        if (!once(kModel, "model")) return;
        if (json.peek() != JsonKind::String) return wrong_type("model", "a string");
        const std::size_t begin = json.offset();
        scan.model = unescape(json.raw_string());
        scan.model_value = {begin, json.offset()};
    }

    void stream() {
        if (!once(kStream, "stream")) return;
        const JsonKind kind = json.peek();
        if (kind == JsonKind::Bool) {
            scan.stream = json.boolean();
        } else if (kind == JsonKind::Null) {
            json.skip();
        } else {
            wrong_type("stream", "true or false");
        }
    }

    void max_tokens(bool preferred) {
        if (json.peek() != JsonKind::Number) {
            json.skip();
            return;
        }
        const auto value = json.integer();
        if (preferred || !scan.max_tokens) scan.max_tokens = value;
    }

    void member(std::string_view key) {
        if (key_is(key, "model")) return model();
        if (key_is(key, "stream")) return stream();
        if (key_is(key, "stream_options")) {
            if (once(kStreamOptions, "stream_options")) scan_stream_options(json, scan);
            return;
        }
        if (key_is(key, "user") && json.peek() == JsonKind::String) {
            scan.user_value = json.range();
            return;
        }
        if (key_is(key, "previous_response_id") && json.peek() == JsonKind::String) {
            scan.previous_response_value = json.range();
            return;
        }
        if (key_is(key, "store")) {
            scan.store_value = json.range();
            return;
        }
        if (key_is(key, "background") && json.peek() == JsonKind::Bool) {
            scan.background = json.boolean();
            return;
        }
        if (key_is(key, "max_completion_tokens") || key_is(key, "max_output_tokens")) return max_tokens(true);
        if (key_is(key, "max_tokens")) return max_tokens(false);
        if (key_is(key, "messages") || key_is(key, "prompt") || key_is(key, "input")) {
            scan.prompt_value = json.range();
            scan.prompt_bytes += scan.prompt_value.size();
            return;
        }
        if (is_prompt_too(key)) {
            scan.prompt_bytes += json.range().size();
            return;
        }
        json.skip();
    }
};

}  // namespace

Result<RequestScan> scan_request(std::string_view body) {
    RequestReader reader{JsonCursor(body), {}, 0, {}};
    JsonCursor& json = reader.json;
    const JsonKind kind = json.peek();
    if (kind != JsonKind::Object && kind != JsonKind::Invalid) {
        if (!json.skip() || !json.end()) return malformed(body, json);
        return request_error(RequestFault::WrongType, "the request body must be a JSON object");
    }
    if (!json.begin_object()) return malformed(body, json);
    const std::size_t inside = json.offset();
    for (std::string_view key; json.next_key(key);) {
        reader.member(key);
        if (reader.problem) return *std::move(reader.problem);
    }
    if (!json.end()) return malformed(body, json);
    if (!simdjson::validate_utf8(body.data(), body.size())) {
        return request_error(RequestFault::MalformedJson, "the request body is not valid UTF-8");
    }
    RequestScan& scan = reader.scan;
    if (!scan.model_value.present() || scan.model.empty()) {
        return request_error(RequestFault::MissingModel, "the request must name a 'model'");
    }
    scan.inside = inside;
    if (scan.usage == UsageAsk::NoOptions) scan.usage_insert = inside;
    return std::move(scan);
}

namespace {

std::optional<BodyEdit> usage_edit(const RequestScan& scan) {
    switch (scan.usage) {
        case UsageAsk::NoOptions:  // The body has a model, so a comma always follows.
            return BodyEdit{{scan.usage_insert, scan.usage_insert}, R"("stream_options":{"include_usage":true},)"};
        case UsageAsk::NullOptions:
            return BodyEdit{scan.usage_value, R"({"include_usage":true})"};
        case UsageAsk::WithoutAsk:
            return BodyEdit{{scan.usage_insert, scan.usage_insert},
                            scan.usage_object_empty ? R"("include_usage":true)" : R"("include_usage":true,)"};
        case UsageAsk::Refused:
            return BodyEdit{scan.usage_value, "true"};
        case UsageAsk::Asked:
        case UsageAsk::Unusable:
            return {};
    }
    return {};
}

}  // namespace

BodyEdits request_edits(const RequestScan& scan, std::string_view engine_model, bool ask_for_usage,
                        std::string_view member) {
    BodyEdits made;
    const bool adds = !member.empty() && !scan.model_bare;
    if (adds || (!engine_model.empty() && engine_model != scan.model)) {
        const std::string_view name = engine_model.empty() ? std::string_view(scan.model) : engine_model;
        BodyEdit& edit = made.edits[made.count++];
        edit = {scan.model_value, scan.model_bare ? std::string(name) : quote_json(name)};
        if (adds) edit.text.append(",").append(member);
    }
    if (auto usage = ask_for_usage ? usage_edit(scan) : std::nullopt) made.edits[made.count++] = *std::move(usage);
    if (made.count == 2 && made.edits[1].where.begin < made.edits[0].where.begin) {
        std::swap(made.edits[0], made.edits[1]);
    }
    return made;
}

namespace {

void scan_text(JsonCursor& json, AnswerScan& scan) {
    if (json.peek() != JsonKind::String) {
        const bool something = holds_something(json);
        scan.has_content |= something;
        scan.beyond_text |= something;
        return;
    }
    scan.content = json.raw_string();
    scan.has_content |= !scan.content.empty();
}

// A `delta` or a `message`.
void scan_message(JsonCursor& json, AnswerScan& scan) {
    if (json.peek() != JsonKind::Object) {
        json.skip();
        return;
    }
    json.begin_object();
    for (std::string_view key; json.next_key(key);) {
        if (key == "content") {
            scan_text(json, scan);
        } else if (key == "reasoning_content" || key == "reasoning" || key == "tool_calls" || key == "function_call" ||
                   key == "refusal" || key == "audio") {
            const bool something = holds_something(json);
            scan.has_content |= something;
            scan.beyond_text |= something;
        } else {
            json.skip();
        }
    }
}

void scan_choice(JsonCursor& json, AnswerScan& scan) {
    if (json.peek() != JsonKind::Object) {
        json.skip();
        return;
    }
    std::int64_t index = 0;
    bool finished = false;
    json.begin_object();
    for (std::string_view key; json.next_key(key);) {
        if (key == "delta" || key == "message") {
            scan_message(json, scan);
        } else if (key == "text") {
            scan_text(json, scan);
        } else if (key == "finish_reason" && json.peek() == JsonKind::String) {
            scan.finish_reason = json.raw_string();
            finished = true;
        } else if (key == "index" && json.peek() == JsonKind::Number) {
            index = json.integer().value_or(0);
        } else {
            json.skip();
        }
    }
    const std::uint64_t bit = std::uint64_t{1} << std::clamp<std::int64_t>(index, 0, 63);
    scan.choices_seen |= bit;
    if (finished) scan.choices_finished |= bit;
}

void scan_choices(JsonCursor& json, AnswerScan& scan) {
    if (json.peek() != JsonKind::Array) {
        json.skip();
        return;
    }
    json.begin_array();
    scan.choices_empty = true;
    while (json.next_element()) {
        scan.choices_empty = false;
        scan_choice(json, scan);
    }
}

void scan_error_code(JsonCursor& json, AnswerScan& scan) {
    if (json.peek() == JsonKind::Number) {
        const auto code = json.integer().value_or(0);
        if (code >= 400 && code < 600) scan.error_status = static_cast<int>(code);
    } else {
        json.skip();
    }
}

void scan_error(JsonCursor& json, AnswerScan& scan) {
    const JsonKind kind = json.peek();
    if (kind == JsonKind::Null) {
        json.skip();
        return;
    }
    scan.has_error = true;
    if (kind == JsonKind::String) {
        scan.error_message = json.raw_string();
        return;
    }
    if (kind != JsonKind::Object) {
        json.skip();
        return;
    }
    json.begin_object();
    for (std::string_view key; json.next_key(key);) {
        if (key == "code") {
            scan_error_code(json, scan);
        } else if (key == "message" && json.peek() == JsonKind::String) {
            scan.error_message = json.raw_string();
        } else {
            json.skip();
        }
    }
}

void scan_usage_member(std::string_view text, JsonCursor& json, AnswerScan& scan) {
    const std::size_t begin = json.member_begin();
    const bool first = json.member_is_first();
    if (json.peek() == JsonKind::Object) {
        scan.usage = scan_usage(json);
    } else {
        json.skip();
    }
    std::size_t end = json.offset();
    if (first) {  // Its own comma is the one after it, if there is one.
        json.peek();
        if (json.offset() < text.size() && text[json.offset()] == ',') end = json.offset() + 1;
    }
    scan.usage_member = {begin, end};
}

}  // namespace

Result<AnswerScan> scan_answer(std::string_view text) {
    AnswerScan scan;
    JsonCursor json(text);
    bool object_is_error = false;  // Older vLLM: {"object":"error","message":...,"code":400}.
    AnswerScan flat;
    json.begin_object();
    for (std::string_view key; json.next_key(key);) {
        if (key == "choices") {
            scan_choices(json, scan);
        } else if (key == "usage") {
            scan_usage_member(text, json, scan);
        } else if (key == "error") {
            scan_error(json, scan);
        } else if (key == "object" && json.peek() == JsonKind::String) {
            object_is_error = json.raw_string() == "error";
        } else if (key == "code") {
            scan_error_code(json, flat);
        } else if (key == "message" && json.peek() == JsonKind::String) {
            flat.error_message = json.raw_string();
        } else {
            json.skip();
        }
    }
    if (object_is_error && !scan.has_error) {
        scan.has_error = true;
        scan.error_status = flat.error_status;
        scan.error_message = flat.error_message;
    }
    return finished(json, scan);
}

std::string without_usage(std::string_view json, const AnswerScan& scan) {
    std::string text;
    text.reserve(json.size());
    text.append(json.substr(0, scan.usage_member.begin)).append(json.substr(scan.usage_member.end));
    return text;
}

std::optional<Usage> find_usage_in_tail(std::string_view tail) {
    constexpr std::string_view kKey = R"("usage")";
    const std::size_t key = tail.rfind(kKey);
    if (key == std::string_view::npos) return {};
    std::size_t at = tail.find_first_not_of(" \t\r\n", key + kKey.size());
    if (at == std::string_view::npos || tail[at] != ':') return {};
    JsonCursor json(tail, at + 1);
    if (json.peek() != JsonKind::Object) return {};
    auto usage = scan_usage(json);
    if (json.failed()) return {};
    return usage;
}

std::string error_body(std::string_view message, std::string_view type, std::string_view code, std::string_view param) {
    return R"({"error":{"message":)" + quote_json(message) + R"(,"type":)" + quote_json(type) + R"(,"param":)" +
           (param.empty() ? "null" : quote_json(param)) + R"(,"code":)" + quote_json(code) + "}}";
}

}  // namespace stoker::wire
