#include "twin/answer.h"

#include <cmath>

#include "base/text.h"

namespace stoker::twin {
namespace {

std::string identity(std::string_view id, std::string_view object, std::int64_t created, const std::string& model) {
    return "{\"id\":" + quote_json(id) + ",\"object\":\"" + std::string(object) +
           "\",\"created\":" + std::to_string(created) + ",\"model\":" + quote_json(model);
}

}  // namespace

std::string UsageNumbers::json() const {
    return "{\"prompt_tokens\":" + std::to_string(prompt_tokens) +
           ",\"total_tokens\":" + std::to_string(prompt_tokens + completion_tokens) +
           ",\"completion_tokens\":" + std::to_string(completion_tokens) + ",\"prompt_tokens_details\":null}";
}

void Answer::append_piece(std::string& out, std::uint32_t index) const {
    const bool last = index + 1 == plan_.tokens;
    if (index == 0 && !request_.echo.empty()) {
        const std::string quoted = quote_json(request_.echo);
        out.append(quoted, 1, quoted.size() - 2);
    }
    if (!request_.tool.empty() && index == 0) out += "{\\\"words\\\":\\\"";
    if (!(last && plan_.drop_last)) append_word(out, request_, index);
    if (!request_.tool.empty() && last) out += "\\\"}";
}

std::string Answer::text() const {
    std::string text;
    text.reserve(std::size_t{plan_.tokens} * 5);
    for (std::uint32_t i = 0; i < plan_.tokens; ++i) append_piece(text, i);
    return text;
}

void Answer::append_malformed(std::string& out) const {
    out += "data: {\"id\":\"chatcmpl-broken\",\"choices\":[{\"index\":0,\"delta\":{\"conte\n\n";
}

namespace {

// Chat and text completions.
class Completion : public Answer {
public:
    Completion(const GenerationRequest& request, const OutputPlan& plan, std::string_view id, std::int64_t created)
        : Answer(request, plan), chat_(request.endpoint == Endpoint::Chat), tool_(chat_ && !request.tool.empty()) {
        std::string_view object = !chat_           ? "text_completion"
                                  : request.stream ? "chat.completion.chunk"
                                                   : "chat.completion";
        identity_ = identity(id, object, created, request.model);
        const std::string_view piece = tool_ ? "\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\""
                                       : chat_ ? "\"delta\":{\"content\":\""
                                               : "\"text\":\"";
        event_ = "data: " + identity_ + ",\"choices\":[{\"index\":0," + std::string(piece);
    }

    std::string whole(const UsageNumbers* usage) const override {
        std::string out = identity_ + ",\"choices\":[{\"index\":0,";
        if (tool_) {
            out += "\"message\":{\"role\":\"assistant\",\"content\":null,\"refusal\":null,\"tool_calls\":[" +
                   call(text()) + "]}";
        } else {
            out += chat_ ? "\"message\":{\"role\":\"assistant\",\"content\":\"" : "\"text\":\"";
            out += text();
            out += chat_ ? "\",\"refusal\":null,\"tool_calls\":[]}" : "\"";
        }
        out += ",\"logprobs\":null,\"finish_reason\":\"";
        out += finish_reason();
        out += "\",\"stop_reason\":null}]";
        if (usage) out += ",\"usage\":" + usage->json();
        out += '}';
        return out;
    }

    void append_start(std::string& out) override {
        if (!chat_) return;
        const std::string content = tool_ ? "\"content\":null,\"tool_calls\":[" + call("") + "]" : "\"content\":\"\"";
        out += "data: " + identity_ + ",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\"," + content +
               "},\"logprobs\":null,\"finish_reason\":null}]}\n\n";
    }

    void append_token(std::string& out, std::uint32_t index) override {
        out += event_;
        append_piece(out, index);
        out += tool_ ? "\"}}]}" : chat_ ? "\"}" : "\"";
        out += ",\"logprobs\":null,\"finish_reason\":";
        if (index + 1 == plan_.tokens) {
            out += '"';
            out += finish_reason();
            out += "\",\"stop_reason\":null}]}\n\n";
        } else {
            out += "null}]}\n\n";
        }
    }

    void append_end(std::string& out, const UsageNumbers* usage, bool done) override {
        if (usage) out += "data: " + identity_ + ",\"choices\":[],\"usage\":" + usage->json() + "}\n\n";
        if (done) out += "data: [DONE]\n\n";
    }

private:
    std::string_view finish_reason() const {
        if (tool_) return "tool_calls";
        return plan_.cut_by_length ? "length" : "stop";
    }
    std::string call(std::string_view arguments) const {
        return "{\"index\":0,\"id\":\"call_0\",\"type\":\"function\",\"function\":{\"name\":" +
               quote_json(request_.tool) + ",\"arguments\":\"" + std::string(arguments) + "\"}}";
    }

    const bool chat_;
    const bool tool_;
    std::string identity_;  // "id":…,"object":…,"created":…,"model":… of the whole answer.
    std::string event_;     // Up to the text of a token.
};

}  // namespace

std::unique_ptr<Answer> Answer::create(const GenerationRequest& request, const OutputPlan& plan, std::string_view id,
                                       std::int64_t created) {
    if (request.endpoint == Endpoint::Messages) return make_message(request, plan, id);
    if (request.endpoint == Endpoint::Responses) return make_response(request, plan, id, created);
    return std::make_unique<Completion>(request, plan, id, created);
}

std::string embedding_answer(const GenerationRequest& request) {
    constexpr int kDimensions = 64;
    std::string out = "{\"object\":\"list\",\"data\":[";
    for (std::uint32_t input = 0; input < request.inputs; ++input) {
        out += (input ? ",{" : "{") + std::string("\"index\":") + std::to_string(input) +
               ",\"object\":\"embedding\",\"embedding\":[";
        const double seed = input < request.input_seeds.size()
                                ? static_cast<double>(request.input_seeds[input] % 1'000'003)
                                : request.prompt_tokens * 0.7 + input * 1.3;
        for (int i = 0; i < kDimensions; ++i) {
            double value = std::sin(seed + i) / std::sqrt(kDimensions / 2.0);
            out += (i ? "," : "") + format_number(std::round(value * 1e6) / 1e6);
        }
        out += "]}";
    }
    std::string tokens = std::to_string(request.prompt_tokens);
    out += "],\"model\":" + quote_json(request.model) + ",\"usage\":{\"prompt_tokens\":" + tokens +
           ",\"total_tokens\":" + tokens + ",\"completion_tokens\":0}}";
    return out;
}

std::string error_json(int status, std::string_view message, std::string_view code) {
    std::string_view type = "InternalServerError";
    if (status == 400) type = "BadRequestError";
    if (status == 401) type = "AuthenticationError";
    if (status == 404) type = "NotFoundError";
    if (status == 405) type = "MethodNotAllowedError";
    if (status == 413) type = "RequestEntityTooLargeError";
    if (status == 429) type = "RateLimitError";
    if (status == 503) type = "ServiceUnavailableError";
    return "{\"error\":{\"message\":" + quote_json(message) + ",\"type\":\"" + std::string(type) +
           "\",\"param\":null,\"code\":" + (code.empty() ? std::to_string(status) : quote_json(code)) + "}}";
}

}  // namespace stoker::twin
