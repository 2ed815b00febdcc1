// Renders what an engine answers: the objects and stream events of OpenAI's and Anthropic's APIs as vLLM words them.
//
// Built for many small events: what stays the same between two events of a stream is made once. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "twin/generation.h"

namespace stoker::twin {

// What a usage object says.
struct UsageNumbers {
    std::uint64_t prompt_tokens = 0;
    std::uint64_t completion_tokens = 0;

    std::string json() const;
};

class Answer {
public:
    virtual ~Answer() = default;

    // In the words of the request's API. REQUIRES: `request` and `plan` outlive it.
    static std::unique_ptr<Answer> create(const GenerationRequest& request, const OutputPlan& plan, std::string_view id,
                                          std::int64_t created);

    // The whole answer as one object; without usage if `usage` is null.
    virtual std::string whole(const UsageNumbers* usage) const = 0;

    // Events of a stream, each with its blank line, appended to `out`.
    virtual void append_start(std::string& out) = 0;
    virtual void append_token(std::string& out, std::uint32_t index) = 0;
    virtual void append_malformed(std::string& out) const;
    // What follows the last token: usage, unless it is null, and, if `done`, the event that ends a stream.
    virtual void append_end(std::string& out, const UsageNumbers* usage, bool done) = 0;

protected:
    Answer(const GenerationRequest& request, const OutputPlan& plan) : request_(request), plan_(plan) {}

    // Token `index` as the inside of a JSON string: text, or a piece of a tool's arguments {"words":"w0 w1"}.
    void append_piece(std::string& out, std::uint32_t index) const;
    std::string text() const;  // All pieces.

    const GenerationRequest& request_;
    const OutputPlan& plan_;
};

std::unique_ptr<Answer> make_message(const GenerationRequest& request, const OutputPlan& plan, std::string_view id);
std::unique_ptr<Answer> make_response(const GenerationRequest& request, const OutputPlan& plan, std::string_view id,
                                      std::int64_t created);

// Deterministic unit-length-ish vectors, the same for the same text.
std::string embedding_answer(const GenerationRequest& request);

// {"error":{"message","type","param":null,"code"}} with vLLM's name of the type; the code is the status, or `code` if
// that is given.
std::string error_json(int status, std::string_view message, std::string_view code = {});

}  // namespace stoker::twin
