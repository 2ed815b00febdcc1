// Answers in the words of OpenAI's responses.
#include "base/text.h"
#include "twin/answer.h"

namespace stoker::twin {
namespace {

class Response : public Answer {
public:
    Response(const GenerationRequest& request, const OutputPlan& plan, std::string_view id, std::int64_t created)
        : Answer(request, plan), id_(id), created_(created), tool_(!request.tool.empty()) {}

    std::string whole(const UsageNumbers* usage) const override { return response(end_status(), item(true), usage); }

    void append_start(std::string& out) override {
        append_event(out, "response.created", ",\"response\":" + response("in_progress", "", nullptr));
        append_event(out, "response.in_progress", ",\"response\":" + response("in_progress", "", nullptr));
        append_event(out, "response.output_item.added", ",\"output_index\":0,\"item\":" + item(false));
        if (!tool_) {
            append_event(out, "response.content_part.added", place() + ",\"content_index\":0,\"part\":" + part(""));
        }
    }

    void append_token(std::string& out, std::uint32_t index) override {
        std::string piece;
        append_piece(piece, index);
        if (tool_) {
            append_event(out, "response.function_call_arguments.delta", place() + ",\"delta\":\"" + piece + "\"");
        } else {
            append_event(out, "response.output_text.delta",
                         place() + ",\"content_index\":0,\"delta\":\"" + piece + "\",\"logprobs\":[]");
        }
    }

    void append_malformed(std::string& out) const override {
        out += "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"del\n\n";
    }

    void append_end(std::string& out, const UsageNumbers* usage, bool done) override {
        if (tool_) {
            append_event(out, "response.function_call_arguments.done", place() + ",\"arguments\":\"" + text() + "\"");
        } else {
            append_event(out, "response.output_text.done",
                         place() + ",\"content_index\":0,\"text\":\"" + text() + "\",\"logprobs\":[]");
            append_event(out, "response.content_part.done", place() + ",\"content_index\":0,\"part\":" + part(text()));
        }
        append_event(out, "response.output_item.done", ",\"output_index\":0,\"item\":" + item(true));
        if (!done) return;
        append_event(out, plan_.cut_by_length ? "response.incomplete" : "response.completed",
                     ",\"response\":" + response(end_status(), item(true), usage));
    }

private:
    void append_event(std::string& out, std::string_view type, std::string_view rest) {
        out.append("event: ").append(type).append("\ndata: {\"type\":\"").append(type).append("\"").append(rest);
        out += ",\"sequence_number\":" + std::to_string(sequence_++) + "}\n\n";
    }

    std::string_view end_status() const { return plan_.cut_by_length ? "incomplete" : "completed"; }

    std::string place() const {
        return ",\"item_id\":\"" + std::string(tool_ ? "fc_0" : "msg_0") + "\",\"output_index\":0";
    }

    static std::string part(std::string_view text) {
        return "{\"type\":\"output_text\",\"text\":\"" + std::string(text) + "\",\"annotations\":[],\"logprobs\":[]}";
    }

    std::string item(bool done) const {
        const std::string status = std::string("\"status\":\"") + (done ? "completed" : "in_progress") + "\"";
        if (tool_) {
            return "{\"type\":\"function_call\",\"id\":\"fc_0\",\"call_id\":\"call_0\",\"name\":" +
                   quote_json(request_.tool) + ",\"arguments\":\"" + (done ? text() : "") + "\"," + status + "}";
        }
        return "{\"type\":\"message\",\"id\":\"msg_0\",\"role\":\"assistant\",\"content\":[" +
               (done ? part(text()) : std::string()) + "]," + status + "}";
    }

    std::string response(std::string_view status, const std::string& output, const UsageNumbers* usage) const {
        std::string out = "{\"id\":" + quote_json(id_) +
                          ",\"object\":\"response\",\"created_at\":" + std::to_string(created_) + ",\"status\":\"" +
                          std::string(status) + "\",\"error\":null,\"incomplete_details\":" +
                          (status == "incomplete" ? "{\"reason\":\"max_output_tokens\"}" : "null") +
                          ",\"instructions\":null,\"model\":" + quote_json(request_.model) + ",\"output\":[" + output +
                          "],\"parallel_tool_calls\":true,\"tool_choice\":\"auto\",\"tools\":[],\"usage\":";
        if (!usage) return out + "null}";
        return out + "{\"input_tokens\":" + std::to_string(usage->prompt_tokens) +
               ",\"input_tokens_details\":{\"cached_tokens\":0},\"output_tokens\":" +
               std::to_string(usage->completion_tokens) +
               ",\"output_tokens_details\":{\"reasoning_tokens\":0},\"total_tokens\":" +
               std::to_string(usage->prompt_tokens + usage->completion_tokens) + "}}";
    }

    const std::string id_;
    const std::int64_t created_;
    const bool tool_;
    std::uint64_t sequence_ = 0;
};

}  // namespace

std::unique_ptr<Answer> make_response(const GenerationRequest& request, const OutputPlan& plan, std::string_view id,
                                      std::int64_t created) {
    return std::make_unique<Response>(request, plan, id, created);
}

}  // namespace stoker::twin
