// The OpenAI API on the wire, as far as a proxy must understand it: what a request asks for, what an answer or a
// stream's event says, and the smallest edits of their bytes.
//
// Scanning checks the whole JSON and copies nothing but the model's name; everything the proxy does not know passes
// untouched. Pure functions, thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/openai_json.h"
#include "wire/usage.h"

namespace stoker::wire {

// Why a request body was refused; stands in Error::detail.
enum class RequestFault : std::uint16_t { None = 0, MalformedJson, WrongType, MissingModel };

// What a request's `stream_options` says about usage, and so what must be edited to have the engine report it.
enum class UsageAsk : std::uint8_t {
    NoOptions,    // No stream_options: the member is added.
    NullOptions,  // null: replaced.
    WithoutAsk,   // An object that does not speak of include_usage: the member is added to it.
    Refused,      // include_usage is false or null: replaced.
    Asked,        // include_usage is true: the client wants it, nothing to do.
    Unusable      // Not an object, or include_usage not a bool: left for the engine to refuse.
};

struct RequestScan {
    std::string model;
    ByteRange model_value;    // With its quotes.
    bool model_bare = false;  // Of a form: no JSON, so no quotes.
    bool stream = false;
    UsageAsk usage = UsageAsk::NoOptions;
    ByteRange usage_value;                   // What Refused and NullOptions replace.
    std::size_t usage_insert = 0;            // Where WithoutAsk and NoOptions add: just inside the object's '{'.
    bool usage_object_empty = false;         // The object at usage_insert has no members.
    std::optional<std::int64_t> max_tokens;  // max_completion_tokens, max_output_tokens, else max_tokens.
    std::size_t inside = 0;                  // Just inside the body's '{'; 0: a form.
    ByteRange prompt_value;                  // messages, prompt or input; empty if there is none of them.
    ByteRange user_value;                    // `user`, if it is a string; with its quotes.
    ByteRange previous_response_value;       // The same of `previous_response_id`.
    ByteRange store_value;                   // `store`, whatever it is; the last.
    bool background = false;                 // `background` is true.
    std::size_t prompt_bytes = 0;            // Size of messages, prompt or input as written.
};

// Reads a request body. Errors: InvalidArgument with a RequestFault in detail; the message says what and where. A field
// that decides the route (model, stream, stream_options) must not be given twice.
Result<RequestScan> scan_request(std::string_view body);

// A place of the body and what stands there instead.
struct BodyEdit {
    ByteRange where;
    std::string text;
};

// In order of their places, which don't overlap.
struct BodyEdits {
    static constexpr std::size_t kMost = 2;
    std::array<BodyEdit, kMost> edits{};
    std::size_t count = 0;

    std::span<const BodyEdit> all() const { return {edits.data(), count}; }
    bool empty() const { return count == 0; }
};

// What must change for a replica: the engine's own model name, if it is another than the client's; if `ask_for_usage`,
// stream_options.include_usage on; and `member` ("name":value), behind the model of a JSON body.
BodyEdits request_edits(const RequestScan& scan, std::string_view engine_model, bool ask_for_usage,
                        std::string_view member = {});

// What one whole answer, or the data of one event of a stream, says.
struct AnswerScan {
    bool has_content = false;            // Text, reasoning, a refusal, audio or a tool call for the user in any choice.
    bool beyond_text = false;            // Any of that is more than plain text: reasoning, a tool call, audio, ...
    std::string_view content;            // The text, as written between the quotes; of the last choice that has one.
    bool choices_empty = false;          // `choices` is there and has no element.
    std::uint64_t choices_seen = 0;      // One bit a choice, by its index; all past 63 share the last.
    std::uint64_t choices_finished = 0;  // Those with a finish_reason.
    std::string_view finish_reason;      // The last one, as written; a view into the text.
    std::optional<Usage> usage;
    ByteRange usage_member;  // The top-level `usage` member, null or not, with the comma that goes with it.
    bool has_error = false;
    int error_status = 0;                  // The error's numeric code, if it has one.
    std::string_view error_message;        // Raw, as written.
    bool ends = false;                     // The event after which nothing comes (not Chat's [DONE], which is no JSON).
    bool usage_so_far = false;             // `usage` counts what has been until here, not the whole.
    std::optional<std::int64_t> sequence;  // sequence_number of a Responses event.
};

// Errors: InvalidArgument, not JSON, or not an object.
Result<AnswerScan> scan_answer(std::string_view json);

inline bool is_done(std::string_view data) {
    return data == "[DONE]";
}

// `json` without its top-level `usage` member. REQUIRES: `scan` is of this `json`.
std::string without_usage(std::string_view json, const AnswerScan& scan);

// The last `"usage": {...}` in the end of an answer too large to be kept. Empty if none is whole.
std::optional<Usage> find_usage_in_tail(std::string_view tail);

// {"error":{"message","type","param","code"}}; an empty param is null.
std::string error_body(std::string_view message, std::string_view type, std::string_view code,
                       std::string_view param = {});

}  // namespace stoker::wire
