#include "wire/continuation.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/text.h"
#include "wire/openai_json.h"

namespace stoker::wire {
namespace {

struct Edit {
    ByteRange where;
    std::string text;
};

std::string apply(std::string_view text, std::vector<Edit> edits) {
    std::stable_sort(edits.begin(), edits.end(),
                     [](const Edit& a, const Edit& b) { return a.where.begin < b.where.begin; });
    std::string edited;
    edited.reserve(text.size() + 256);
    std::size_t at = 0;
    for (const Edit& edit : edits) {
        edited.append(text.substr(at, edit.where.begin - at)).append(edit.text);
        at = edit.where.end;
    }
    edited.append(text.substr(at));
    return edited;
}

// Reads what of a request decides whether and how its answer can be continued.
class RequestReader {
public:
    RequestReader(std::string_view body, const AnswerSoFar& so_far) : json_(body), body_(body), so_far_(so_far) {}

    Result<ContinuationRequest> run() {
        json_.begin_object();
        inside_ = json_.offset();
        for (std::string_view key; json_.next_key(key);) member(key);
        if (json_.failed()) bar(ContinuationBar::NotText);
        if (bar_ == ContinuationBar::None && !chat_ && !prompt_.present()) bar(ContinuationBar::NotText);
        if (bar_ != ContinuationBar::None) {
            return Error{Errc::InvalidArgument, std::string(to_string(bar_)), static_cast<std::uint16_t>(bar_)};
        }
        return build();
    }

private:
    void bar(ContinuationBar why) {
        if (bar_ == ContinuationBar::None) bar_ = why;
    }

    void bar_unless_absent(ContinuationBar why) {
        const JsonKind kind = json_.peek();
        const bool absent = kind == JsonKind::Null || (kind == JsonKind::Bool && !json_.boolean());
        if (kind != JsonKind::Bool) json_.skip();
        if (!absent) bar(why);
    }

    void bar_above(std::int64_t most, ContinuationBar why) {
        const JsonKind kind = json_.peek();
        if (kind != JsonKind::Number) return bar_unless_absent(why);
        if (json_.integer().value_or(most + 1) > most) bar(why);
    }

    void member(std::string_view key) {
        if (key_is(key, "messages")) return messages();
        if (key_is(key, "prompt")) return prompt();
        if (key_is(key, "max_tokens") || key_is(key, "max_completion_tokens") || key_is(key, "n_predict")) {
            return fewer(true);
        }
        if (key_is(key, "min_tokens")) return fewer(false);
        if (key_is(key, "n") || key_is(key, "best_of")) return bar_above(1, ContinuationBar::ManyChoices);
        if (key_is(key, "use_beam_search")) return bar_unless_absent(ContinuationBar::ManyChoices);
        if (key_is(key, "logprobs") || key_is(key, "top_logprobs") || key_is(key, "prompt_logprobs")) {
            return bar_unless_absent(ContinuationBar::Logprobs);
        }
        if (key_is(key, "response_format")) return response_format();
        for (const std::string_view name : {"guided_json", "guided_regex", "guided_choice", "guided_grammar", "grammar",
                                            "structured_outputs", "json_schema", "regex", "ebnf", "structural_tag"}) {
            if (key_is(key, name)) return bar_unless_absent(ContinuationBar::Structured);
        }
        for (const std::string_view name : {"continue_final_message", "add_generation_prompt", "echo", "suffix"}) {
            if (key_is(key, name)) return bar_unless_absent(ContinuationBar::Prefilled);
        }
        if (key_is(key, "audio") || key_is(key, "modalities")) return bar_unless_absent(ContinuationBar::NotText);
        json_.skip();
    }

    void response_format() {
        if (json_.peek() != JsonKind::Object) return bar_unless_absent(ContinuationBar::Structured);
        bool text = false;
        json_.begin_object();
        for (std::string_view key; json_.next_key(key);) {
            if (key_is(key, "type") && json_.peek() == JsonKind::String) {
                text = json_.raw_string() == "text";
            } else {
                json_.skip();
            }
        }
        if (!text) bar(ContinuationBar::Structured);
    }

    void messages() {
        if (json_.peek() != JsonKind::Array) return bar_unless_absent(ContinuationBar::NotText);
        bool assistant = true;  // No message at all is nothing to go on with either.
        json_.begin_array();
        while (json_.next_element()) {
            assistant = false;
            if (json_.peek() != JsonKind::Object) {
                json_.skip();
                continue;
            }
            json_.begin_object();
            for (std::string_view key; json_.next_key(key);) {
                if (key_is(key, "role") && json_.peek() == JsonKind::String) {
                    assistant = json_.raw_string() == "assistant";
                } else {
                    json_.skip();
                }
            }
        }
        if (assistant) bar(ContinuationBar::Prefilled);
        chat_ = true;
        messages_end_ = json_.offset() - 1;
    }

    void prompt() {
        if (json_.peek() == JsonKind::String) {
            const ByteRange text = json_.range();
            prompt_ = text;
        } else {
            bar_unless_absent(ContinuationBar::NotText);
        }
    }

    // A count of tokens of which some are there already.
    void fewer(bool limit) {
        if (json_.peek() != JsonKind::Number) return (void)json_.skip();
        json_.peek();
        const std::size_t begin = json_.offset();
        const auto wanted = json_.integer();
        if (!wanted || *wanted < 0) return;
        const std::int64_t left = std::max<std::int64_t>(*wanted - so_far_.tokens, 0);
        if (limit) complete_ |= left == 0;
        edits_.push_back({{begin, json_.offset()}, std::to_string(left)});
    }

    // Takes the white space off the end of `text`, as JSON writes it; says what it was.
    static std::string take_blank_end(std::string& text) {
        std::string blank;
        while (!text.empty()) {
            if (text.back() == ' ') {
                blank += ' ';
                text.pop_back();
                continue;
            }
            const std::size_t slashes =
                text.size() < 2 ? 0 : text.size() - 1 - (text.find_last_not_of('\\', text.size() - 2) + 1);
            const std::size_t which = std::string_view("ntr").find(text.back());
            if (which == std::string_view::npos || slashes % 2 == 0) break;
            blank += "\n\t\r"[which];
            text.resize(text.size() - 2);
        }
        std::reverse(blank.begin(), blank.end());
        return blank;
    }

    Result<ContinuationRequest> build() {
        ContinuationRequest request;
        request.complete = complete_;
        std::string text = so_far_.text;
        if (chat_) {
            std::string trimmed = text;
            std::string blank = take_blank_end(trimmed);
            if (!trimmed.empty()) {
                text = std::move(trimmed);
                request.held_back = std::move(blank);
            }
            edits_.push_back(
                {{messages_end_, messages_end_}, R"(,{"role":"assistant","content":")" + std::move(text) + "\"}"});
            edits_.push_back({{inside_, inside_}, R"("continue_final_message":true,"add_generation_prompt":false,)"});
        } else {
            edits_.push_back({{prompt_.end - 1, prompt_.end - 1}, std::move(text)});
        }
        request.body = apply(body_, std::move(edits_));
        return request;
    }

    JsonCursor json_;
    const std::string_view body_;
    const AnswerSoFar& so_far_;
    ContinuationBar bar_ = ContinuationBar::None;
    std::vector<Edit> edits_;
    std::size_t inside_ = 0;
    std::size_t messages_end_ = 0;
    ByteRange prompt_;
    bool chat_ = false;
    bool complete_ = false;
};

}  // namespace

std::string_view to_string(ContinuationBar bar) {
    switch (bar) {
        case ContinuationBar::None:
            return "none";
        case ContinuationBar::NotText:
            return "not_text";
        case ContinuationBar::ManyChoices:
            return "many_choices";
        case ContinuationBar::Logprobs:
            return "logprobs";
        case ContinuationBar::Structured:
            return "structured";
        case ContinuationBar::Prefilled:
            return "prefilled";
    }
    return "unknown";
}

Result<ContinuationRequest> continue_request(std::string_view body, const AnswerSoFar& so_far) {
    return RequestReader(body, so_far).run();
}

StreamIdentity read_identity(std::string_view event) {
    StreamIdentity identity;
    JsonCursor json(event);
    json.begin_object();
    for (std::string_view key; json.next_key(key);) {
        const std::string_view value = json.range().of(event);
        if (key == "id") identity.id = value;
        if (key == "created") identity.created = value;
        if (key == "model") identity.model = value;
        if (key == "system_fingerprint") identity.fingerprint = value;
    }
    return identity;
}

Splice::Splice(StreamIdentity identity, const AnswerSoFar& so_far, std::int64_t pieces, std::string held_back)
    : identity_(std::move(identity)), tokens_(so_far.tokens), held_back_(std::move(held_back)) {
    // One event that says again what took several is no accident of the model's.
    if (pieces < 2) return;
    echo_ = unescape(so_far.text);
    echo_.resize(echo_.size() - std::min(echo_.size(), held_back_.size()));
}

std::string Splice::without_what_is_there(std::string text) {
    if (text.empty()) return text;
    const std::string echo = std::exchange(echo_, {});
    std::size_t skip = !echo.empty() && text.starts_with(echo) ? echo.size() : 0;
    std::size_t same = 0;
    while (same < held_back_.size() && skip < text.size() && text[skip] == held_back_[same]) {
        ++same;
        ++skip;
    }
    // What differs is new: the text before it stays as it is.
    held_back_ = skip == text.size() ? held_back_.substr(same) : std::string();
    return text.substr(skip);
}

// One event on its way through.
struct Splice::Walk {
    Walk(Splice& owner, std::string_view text) : splice(owner), event(text), json(text) {}

    Splice& splice;
    const std::string_view event;
    JsonCursor json;
    std::vector<Edit> edits{};
    bool had_choice = false;
    bool means_something = false;  // Content, an end, usage, or what is not known here.

    ByteRange member_range() {
        const std::size_t begin = json.member_begin();
        const bool first = json.member_is_first();
        json.skip();
        std::size_t end = json.offset();
        if (first) {
            json.peek();
            if (json.offset() < event.size() && event[json.offset()] == ',') end = json.offset() + 1;
        }
        return {begin, end};
    }

    void replace(const std::string& value) {
        json.peek();
        const ByteRange range = json.range();
        if (!value.empty()) edits.push_back({range, value});
    }

    void content() {
        if (json.peek() != JsonKind::String) {
            means_something |= json.peek() != JsonKind::Null;
            json.skip();
            return;
        }
        const std::size_t begin = json.offset();
        const std::string_view raw = json.raw_string();
        const bool trim = !splice.echo_.empty() || !splice.held_back_.empty();
        if (!trim || raw.empty()) {
            means_something |= !raw.empty();
            return;
        }
        const std::string before = unescape(raw);
        const std::string after = splice.without_what_is_there(before);
        means_something |= !after.empty();
        if (after.size() != before.size()) edits.push_back({{begin, json.offset()}, quote_json(after)});
    }

    void delta() {
        if (json.peek() != JsonKind::Object) return (void)json.skip();
        json.begin_object();
        for (std::string_view key; json.next_key(key);) {
            if (key == "role") {
                edits.push_back({member_range(), {}});
            } else if (key == "content") {
                content();
            } else {
                const JsonKind kind = json.peek();
                means_something |= kind != JsonKind::Null && json.range().size() > 2;
                if (kind == JsonKind::Null) json.skip();
            }
        }
    }

    void choice() {
        had_choice = true;
        if (json.peek() != JsonKind::Object) return (void)json.skip();
        json.begin_object();
        for (std::string_view key; json.next_key(key);) {
            if (key == "delta") {
                delta();
            } else if (key == "text") {
                content();
            } else if (key == "finish_reason") {
                means_something |= json.peek() == JsonKind::String;
                json.skip();
            } else {
                json.skip();
            }
        }
    }

    std::int64_t number() {
        if (json.peek() != JsonKind::Number) {
            json.skip();
            return 0;
        }
        return std::max<std::int64_t>(json.integer().value_or(0), 0);
    }

    // The text so far was part of this engine's prompt and is part of the client's answer.
    void usage() {
        if (json.peek() != JsonKind::Object) return (void)json.skip();
        means_something = true;
        json.begin_object();
        for (std::string_view key; json.next_key(key);) {
            json.peek();
            const std::size_t begin = json.offset();
            if (key == "prompt_tokens") {
                const std::int64_t own = std::max<std::int64_t>(number() - splice.tokens_, 0);
                edits.push_back({{begin, json.offset()}, std::to_string(own)});
            } else if (key == "completion_tokens") {
                const std::int64_t all = number() + splice.tokens_;
                edits.push_back({{begin, json.offset()}, std::to_string(all)});
            } else {
                json.skip();
            }
        }
    }

    std::optional<std::string> run() {
        json.begin_object();
        for (std::string_view key; json.next_key(key);) {
            if (key == "id") {
                replace(splice.identity_.id);
            } else if (key == "created") {
                replace(splice.identity_.created);
            } else if (key == "model") {
                replace(splice.identity_.model);
            } else if (key == "system_fingerprint") {
                replace(splice.identity_.fingerprint);
            } else if (key == "usage") {
                usage();
            } else if (key == "choices" && json.peek() == JsonKind::Array) {
                json.begin_array();
                while (json.next_element()) choice();
            } else {
                json.skip();
            }
        }
        if (json.failed()) return std::string(event);  // Whoever reads it next will say so.
        if (had_choice && !means_something) return std::nullopt;
        return apply(event, std::move(edits));
    }
};

std::optional<std::string> Splice::rewrite(std::string_view event) {
    return Walk(*this, event).run();
}

}  // namespace stoker::wire
