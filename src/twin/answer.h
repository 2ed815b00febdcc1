// Renders what an engine answers: OpenAI objects and stream events as vLLM words them.
//
// Built for many small events: what stays the same between two events of a stream is made once. Not thread-safe.
#pragma once

#include <cstdint>
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
    // REQUIRES: `request` and `plan` outlive it.
    Answer(const GenerationRequest& request, const OutputPlan& plan, std::string_view id, std::int64_t created);

    // The whole answer as one object; without usage if `usage` is null.
    std::string whole(const UsageNumbers* usage) const;

    // Events of a stream, each with its blank line, appended to `out`.
    void append_role(std::string& out) const;  // Chat only.
    void append_token(std::string& out, std::uint32_t index) const;
    void append_usage(std::string& out, const UsageNumbers& usage) const;
    static void append_malformed(std::string& out);
    static void append_done(std::string& out);

private:
    std::string_view finish_reason() const { return plan_.cut_by_length ? "length" : "stop"; }
    std::string text() const;

    const GenerationRequest& request_;
    const OutputPlan& plan_;
    const bool chat_;
    std::string identity_;  // "id":…,"object":…,"created":…,"model":… of the whole answer.
    std::string event_;     // Up to the text of a token.
};

// Deterministic unit-length-ish vectors, the same for the same request.
std::string embedding_answer(const GenerationRequest& request);

// {"error":{"message","type","param":null,"code"}} with vLLM's name of the type; the code is the status, or `code` if
// that is given.
std::string error_json(int status, std::string_view message, std::string_view code = {});

}  // namespace stoker::twin
