// Answers in the words of Anthropic's messages.
#include "base/text.h"
#include "twin/answer.h"

namespace stoker::twin {
namespace {

void append_event(std::string& out, std::string_view type, std::string_view rest) {
    out.append("event: ").append(type).append("\ndata: {\"type\":\"").append(type).append("\"").append(rest);
    out += "}\n\n";
}

class Message : public Answer {
public:
    Message(const GenerationRequest& request, const OutputPlan& plan, std::string_view id)
        : Answer(request, plan), id_(id), tool_(!request.tool.empty()) {
        delta_ = ",\"index\":0,\"delta\":{\"type\":\"" +
                 std::string(tool_ ? "input_json_delta\",\"partial_json\":\"" : "text_delta\",\"text\":\"");
    }

    std::string whole(const UsageNumbers* usage) const override {
        std::string content;
        if (tool_) {
            // The arguments are JSON inside of a string; as an object they need no escapes.
            std::string words;
            for (std::uint32_t i = 0; i < plan_.tokens; ++i) append_word(words, request_, i);
            content = block("{\"words\":\"" + words + "\"}");
        } else {
            content = "{\"type\":\"text\",\"text\":\"" + text() + "\"}";
        }
        return message(content, '"' + std::string(stop_reason()) + '"', usage);
    }

    void append_start(std::string& out) override {
        const UsageNumbers usage{request_.prompt_tokens, 0};
        append_event(out, "message_start", ",\"message\":" + message("", "null", &usage));
        append_event(out, "content_block_start",
                     ",\"index\":0,\"content_block\":" +
                         (tool_ ? block("{}") : std::string("{\"type\":\"text\",\"text\":\"\"}")));
        append_event(out, "ping", "");
    }

    void append_token(std::string& out, std::uint32_t index) override {
        std::string piece;
        append_piece(piece, index);
        append_event(out, "content_block_delta", delta_ + piece + "\"}");
        if (index + 1 == plan_.tokens) append_event(out, "content_block_stop", ",\"index\":0");
    }

    void append_malformed(std::string& out) const override {
        out += "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"del\n\n";
    }

    void append_end(std::string& out, const UsageNumbers* usage, bool done) override {
        std::string rest = ",\"delta\":{\"stop_reason\":\"" + std::string(stop_reason()) + "\",\"stop_sequence\":null}";
        if (usage) rest += ",\"usage\":{\"output_tokens\":" + std::to_string(usage->completion_tokens) + "}";
        append_event(out, "message_delta", rest);
        if (done) append_event(out, "message_stop", "");
    }

private:
    std::string_view stop_reason() const {
        if (tool_) return "tool_use";
        return plan_.cut_by_length ? "max_tokens" : "end_turn";
    }

    std::string block(std::string_view input) const {
        return "{\"type\":\"tool_use\",\"id\":\"toolu_0\",\"name\":" + quote_json(request_.tool) +
               ",\"input\":" + std::string(input) + "}";
    }

    std::string message(std::string_view content, std::string_view reason, const UsageNumbers* usage) const {
        std::string out = "{\"id\":" + quote_json(id_) +
                          ",\"type\":\"message\",\"role\":\"assistant\",\"model\":" + quote_json(request_.model) +
                          ",\"content\":[" + std::string(content) + "],\"stop_reason\":" + std::string(reason) +
                          ",\"stop_sequence\":null";
        if (usage) {
            out += ",\"usage\":{\"input_tokens\":" + std::to_string(usage->prompt_tokens) +
                   ",\"output_tokens\":" + std::to_string(usage->completion_tokens) + "}";
        }
        return out + "}";
    }

    const std::string id_;
    const bool tool_;
    std::string delta_;  // Up to the text of a token.
};

}  // namespace

std::unique_ptr<Answer> make_message(const GenerationRequest& request, const OutputPlan& plan, std::string_view id) {
    return std::make_unique<Message>(request, plan, id);
}

}  // namespace stoker::twin
