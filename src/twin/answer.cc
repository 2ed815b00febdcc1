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

Answer::Answer(const GenerationRequest& request, const OutputPlan& plan, std::string_view id, std::int64_t created)
    : request_(request), plan_(plan), chat_(request.endpoint == Endpoint::Chat) {
    std::string_view object = !chat_ ? "text_completion" : request.stream ? "chat.completion.chunk" : "chat.completion";
    identity_ = identity(id, object, created, request.model);
    event_ =
        "data: " + identity_ + ",\"choices\":[{\"index\":0," + (chat_ ? "\"delta\":{\"content\":\"" : "\"text\":\"");
}

std::string Answer::text() const {
    std::string text = request_.echo;
    std::uint32_t shown = plan_.tokens - (plan_.drop_last ? 1 : 0);
    text.reserve(std::size_t{shown} * 5);
    for (std::uint32_t i = 0; i < shown; ++i) append_word(text, request_, i);
    return text;
}

std::string Answer::whole(const UsageNumbers* usage) const {
    std::string out = identity_ + ",\"choices\":[{\"index\":0,";
    out += chat_ ? "\"message\":{\"role\":\"assistant\",\"content\":\"" : "\"text\":\"";
    const std::string quoted = quote_json(text());
    out.append(quoted, 1, quoted.size() - 2);
    out += chat_ ? "\",\"refusal\":null,\"tool_calls\":[]}" : "\"";
    out += ",\"logprobs\":null,\"finish_reason\":\"";
    out += finish_reason();
    out += "\",\"stop_reason\":null}]";
    if (usage) out += ",\"usage\":" + usage->json();
    out += '}';
    return out;
}

void Answer::append_role(std::string& out) const {
    if (!chat_) return;
    out += "data: ";
    out += identity_;
    out +=
        ",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"logprobs\":null,"
        "\"finish_reason\":null}]}\n\n";
}

void Answer::append_token(std::string& out, std::uint32_t index) const {
    bool last = index + 1 == plan_.tokens;
    out += event_;
    if (index == 0 && !request_.echo.empty()) {
        const std::string quoted = quote_json(request_.echo);
        out.append(quoted, 1, quoted.size() - 2);
    }
    if (!(last && plan_.drop_last)) append_word(out, request_, index);
    out += chat_ ? "\"}" : "\"";
    out += ",\"logprobs\":null,\"finish_reason\":";
    if (last) {
        out += '"';
        out += finish_reason();
        out += "\",\"stop_reason\":null}]}\n\n";
    } else {
        out += "null}]}\n\n";
    }
}

void Answer::append_usage(std::string& out, const UsageNumbers& usage) const {
    out += "data: " + identity_ + ",\"choices\":[],\"usage\":" + usage.json() + "}\n\n";
}

void Answer::append_malformed(std::string& out) {
    out += "data: {\"id\":\"chatcmpl-broken\",\"choices\":[{\"index\":0,\"delta\":{\"conte\n\n";
}

void Answer::append_done(std::string& out) {
    out += "data: [DONE]\n\n";
}

std::string embedding_answer(const GenerationRequest& request) {
    constexpr int kDimensions = 64;
    std::string out = "{\"object\":\"list\",\"data\":[";
    for (std::uint32_t input = 0; input < request.inputs; ++input) {
        out += (input ? ",{" : "{") + std::string("\"index\":") + std::to_string(input) +
               ",\"object\":\"embedding\",\"embedding\":[";
        for (int i = 0; i < kDimensions; ++i) {
            double value = std::sin(request.prompt_tokens * 0.7 + input * 1.3 + i) / std::sqrt(kDimensions / 2.0);
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
