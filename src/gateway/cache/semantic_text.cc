#include "gateway/cache/semantic_text.h"

#include <array>
#include <charconv>
#include <cmath>

#include "gateway/cache/cache_key.h"
#include "wire/canonical_json.h"
#include "wire/openai_json.h"

namespace stoker::gateway {
namespace {

using wire::JsonCursor;
using wire::JsonKind;

// The text of a message's content. False: there is something in it that is no
// text.
bool read_content(std::string_view content, std::string& text) {
    JsonCursor json(content);
    if (json.peek() == JsonKind::String) {
        text += wire::unescape(json.raw_string());
        return true;
    }
    if (json.peek() != JsonKind::Array) return false;
    json.begin_array();
    while (json.next_element()) {
        if (json.peek() != JsonKind::Object) return false;
        json.begin_object();
        bool has_text = false;
        for (std::string_view key; json.next_key(key);) {
            if (key == "text" && json.peek() == JsonKind::String) {
                text += wire::unescape(json.raw_string());
                has_text = true;
            } else if (key == "type" && json.peek() == JsonKind::String) {
                if (json.raw_string() != "text") return false;
            } else {
                return false;
            }
        }
        if (!has_text) return false;
    }
    return !json.failed();
}

struct Message {
    std::string role;
    std::string text;
    std::string rest;  // Its other members, as written.
};

std::optional<Message> read_message(std::string_view object) {
    Message message;
    JsonCursor json(object);
    if (json.peek() != JsonKind::Object) return {};
    json.begin_object();
    bool has_content = false;
    for (std::string_view key; json.next_key(key);) {
        const std::string_view value = json.range().of(object);
        if (key == "content") {
            has_content = read_content(value, message.text);
            if (!has_content) return {};
            continue;
        }
        if (key == "role") message.role = value;
        message.rest.append(key).append(":").append(value).append(",");
    }
    if (json.failed() || !has_content) return {};
    return message;
}

std::optional<SemanticQuestion> read_messages(std::string_view messages, bool whole_conversation) {
    JsonCursor json(messages);
    if (json.peek() != JsonKind::Array) return {};
    json.begin_array();
    SemanticQuestion question;
    std::optional<Message> last;
    std::size_t last_begin = 0;
    while (json.next_element()) {
        json.peek();
        last_begin = json.offset();
        const std::string_view element = json.range().of(messages);
        last = read_message(element);
        if (!whole_conversation) continue;
        if (!last) return {};
        question.text += last->role + ": " + last->text + "\n";
        question.around += last->rest + ";";
    }
    if (json.failed() || !last || last->role != R"("user")") return {};
    if (whole_conversation) return question;
    question.text = last->text;
    question.around = std::string(messages.substr(0, last_begin)) + last->rest;
    return question;
}

}  // namespace

std::optional<SemanticQuestion> read_question(std::string_view body, bool whole_conversation, bool stream) {
    const auto read = wire::CanonicalObject::read(body);
    if (!read) return {};
    const auto messages = read->find("messages");
    const auto prompt = read->find("prompt");
    if (messages.has_value() == prompt.has_value()) return {};
    std::optional<SemanticQuestion> question;
    if (messages) {
        question = read_messages(*messages, whole_conversation);
    } else if (prompt->starts_with('"')) {
        question.emplace();
        question->text = wire::unescape(prompt->substr(1, prompt->size() - 2));
    }
    if (!question || question->text.empty()) return {};
    question->around += read->text([stream](std::string_view key) {
        return is_beside_the_point(key, stream) || wire::key_is(key, "messages") || wire::key_is(key, "prompt");
    });
    return question;
}

std::vector<float> read_embedding(std::string_view answer) {
    constexpr std::string_view kMember = "\"embedding\"";
    const auto read = wire::CanonicalObject::read(answer);
    const auto data = read ? read->find("data") : std::nullopt;
    if (!data) return {};
    // In canonical text nothing stands between the member's name and its list.
    const std::size_t at = data->find(std::string(kMember) + ":[");
    if (at == std::string_view::npos) return {};
    std::vector<float> vector;
    double squares = 0;
    const char* next = data->data() + at + kMember.size() + 1;
    const char* const end = data->data() + data->size();
    while (next != end && *next != ']') {
        float value = 0;
        const auto [stop, problem] = std::from_chars(next + 1, end, value);
        if (problem != std::errc() || !std::isfinite(value)) return {};
        vector.push_back(value);
        squares += static_cast<double>(value) * value;
        next = stop;
    }
    if (squares == 0) return {};
    const auto scale = static_cast<float>(1 / std::sqrt(squares));
    for (float& value : vector) value *= scale;
    return vector;
}

float dot_product(std::span<const float> a, std::span<const float> b) {
    // Sums of their own for the compiler to keep in one vector register.
    constexpr std::size_t kLanes = 8;
    std::array<float, kLanes> sums{};
    std::size_t i = 0;
    for (; i + kLanes <= a.size(); i += kLanes) {
        for (std::size_t lane = 0; lane < kLanes; ++lane) sums[lane] += a[i + lane] * b[i + lane];
    }
    float sum = 0;
    for (; i < a.size(); ++i) sum += a[i] * b[i];
    for (const float lane : sums) sum += lane;
    return sum;
}

}  // namespace stoker::gateway
