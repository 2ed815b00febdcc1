#include "gateway/batch/batch_text.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "wire/canonical_json.h"
#include "wire/openai_json.h"

namespace stoker::gateway {
namespace {

using wire::ByteRange;
using wire::JsonCursor;
using wire::JsonKind;

std::string_view input_member(BatchApi api) {
    return api == BatchApi::Embeddings ? "input" : "prompt";
}

std::string_view list_member(BatchApi api) {
    return api == BatchApi::Embeddings ? "data" : "choices";
}

// A text, or a list of texts and nothing else. Empty: neither.
std::vector<std::string> read_texts(std::string_view value) {
    std::vector<std::string> texts;
    JsonCursor json(value);
    if (json.peek() == JsonKind::String) {
        texts.emplace_back(value);
        return texts;
    }
    if (json.peek() != JsonKind::Array) return {};
    json.begin_array();
    while (json.next_element()) {
        if (json.peek() != JsonKind::String) return {};
        texts.emplace_back(json.range().of(value));
    }
    return texts;
}

bool is_one(const wire::CanonicalObject& body, std::string_view name) {
    const auto value = body.find(name);
    return !value || *value == "1";
}

// One element of the answer's list.
struct Element {
    std::string_view text;
    ByteRange index_value;  // In `text`.
    std::size_t index = 0;
};

struct Answer {
    std::string_view text;
    ByteRange list{};
    ByteRange usage{};
    std::vector<Element> elements{};  // By index.
};

Error corrupt(const char* what) {
    return {Errc::Corruption, std::string("the answer to a batch ") + what};
}

Result<Element> read_element(std::string_view text) {
    Element element{text, {}, 0};
    JsonCursor json(text);
    if (json.peek() != JsonKind::Object) return corrupt("has an element that is no object");
    json.begin_object();
    std::optional<std::int64_t> index;
    for (std::string_view key; json.next_key(key);) {
        if (!wire::key_is(key, "index")) {
            json.skip();
            continue;
        }
        element.index_value = json.range();
        index = parse_integer(element.index_value.of(text));
    }
    if (json.failed() || !index || *index < 0) return corrupt("has an element without an index");
    element.index = static_cast<std::size_t>(*index);
    return element;
}

Result<Answer> read_answer(BatchApi api, std::string_view text, std::size_t inputs) {
    Answer answer{.text = text};
    JsonCursor json(text);
    if (json.peek() != JsonKind::Object) return corrupt("is no JSON object");
    json.begin_object();
    for (std::string_view key; json.next_key(key);) {
        if (wire::key_is(key, list_member(api)) && json.peek() == JsonKind::Array) {
            answer.list.begin = json.offset();
            json.begin_array();
            while (json.next_element()) {
                TRY(const Element element, read_element(json.range().of(text)));
                answer.elements.push_back(element);
            }
            answer.list.end = json.offset();
        } else if (wire::key_is(key, "usage") && json.peek() == JsonKind::Object) {
            answer.usage = json.range();
        } else {
            json.skip();
        }
    }
    if (!json.end()) return corrupt("is not JSON");
    std::sort(answer.elements.begin(), answer.elements.end(),
              [](const Element& a, const Element& b) { return a.index < b.index; });
    for (std::size_t i = 0; i < answer.elements.size(); ++i) {
        if (answer.elements[i].index != i) return corrupt("misses an element, or has one twice");
    }
    if (answer.elements.size() != inputs) return corrupt("has not one element for each input");
    return answer;
}

// An item's part of the list.
std::string part_of_list(const Answer& answer, std::size_t first, std::size_t count) {
    std::string list = "[";
    for (std::size_t i = 0; i < count; ++i) {
        const Element& element = answer.elements[first + i];
        if (i > 0) list += ',';
        list.append(element.text.substr(0, element.index_value.begin));
        list.append(std::to_string(i)).append(element.text.substr(element.index_value.end));
    }
    return list + "]";
}

// The usage's counts, each shared out among the items.
class SharedUsage {
public:
    SharedUsage(std::string_view usage, std::span<const std::size_t> prompt, std::span<const std::size_t> completion)
        : parts_(prompt.size()) {
        JsonCursor json(usage);
        json.begin_object();
        std::vector<std::int64_t> total(prompt.size(), 0);
        bool has_total = false;
        for (std::string_view key; json.next_key(key);) {
            const std::string_view value = json.range().of(usage);
            const auto count = parse_integer(value);
            if (!count || *count < 0) continue;  // What is no count can't be shared: details in objects are left out.
            if (key == "total_tokens") {
                has_total = true;
                continue;
            }
            const auto shares = share_out(*count, key == "completion_tokens" ? completion : prompt);
            const bool counted = key == "prompt_tokens" || key == "completion_tokens";
            for (std::size_t i = 0; i < shares.size(); ++i) {
                add(i, key, shares[i]);
                if (counted) total[i] += shares[i];
            }
        }
        for (std::size_t i = 0; has_total && i < total.size(); ++i) add(i, "total_tokens", total[i]);
    }

    std::string text(std::size_t item) const { return "{" + parts_[item] + "}"; }

private:
    void add(std::size_t item, std::string_view key, std::int64_t count) {
        std::string& part = parts_[item];
        if (!part.empty()) part += ',';
        part.append("\"").append(key).append("\":").append(std::to_string(count));
    }

    std::vector<std::string> parts_;
};

}  // namespace

std::optional<BatchApi> batch_api(std::string_view path) {
    if (path == "/v1/embeddings") return BatchApi::Embeddings;
    if (path == "/v1/completions") return BatchApi::Completions;
    return {};
}

std::size_t BatchItem::bytes() const {
    std::size_t sum = 0;
    for (const std::string& input : inputs) sum += input.size();
    return sum;
}

std::optional<BatchItem> read_batch_item(BatchApi api, std::string_view body) {
    const auto read = wire::CanonicalObject::read(body);
    if (!read) return {};
    const auto input = read->find(input_member(api));
    if (!input || read->find("stream") == "true") return {};
    if (!is_one(*read, "n") || !is_one(*read, "best_of") || read->find("use_beam_search") == "true") return {};
    BatchItem item;
    item.inputs = read_texts(*input);
    if (item.inputs.empty()) return {};
    std::size_t times = 0;
    item.others = read->text([&](std::string_view key) {
        times += wire::key_is(key, input_member(api)) ? 1 : 0;
        for (const std::string_view name : {input_member(api), std::string_view("model"), std::string_view("user"),
                                            std::string_view("stream"), std::string_view("stream_options")}) {
            if (wire::key_is(key, name)) return true;
        }
        return false;
    });
    if (times != 1) return {};
    item.others = item.others.substr(1, item.others.size() - 2);
    return item;
}

std::string batch_body(BatchApi api, std::string_view model, std::span<const BatchItem* const> items) {
    std::string body = R"({"model":)" + quote_json(model) + ",\"" + std::string(input_member(api)) + "\":[";
    bool first = true;
    for (const BatchItem* item : items) {
        for (const std::string& input : item->inputs) {
            if (!std::exchange(first, false)) body += ',';
            body += input;
        }
    }
    body += ']';
    if (!items.front()->others.empty()) body += "," + items.front()->others;
    return body + "}";
}

std::vector<std::int64_t> share_out(std::int64_t total, std::span<const std::size_t> weights) {
    __extension__ using Wide = unsigned __int128;  // A count times bytes may need more than 64 bits.
    Wide sum = 0;
    for (const std::size_t weight : weights) sum += weight;
    const bool equal = sum == 0;
    if (equal) sum = weights.size();
    std::vector<std::int64_t> shares;
    Wide upto = 0;
    std::int64_t given = 0;
    for (const std::size_t weight : weights) {
        upto += equal ? 1 : weight;
        const auto due = static_cast<std::int64_t>(static_cast<Wide>(total) * upto / sum);
        shares.push_back(due - given);
        given = due;
    }
    return shares;
}

Result<std::vector<std::string>> split_answer(BatchApi api, std::string_view answer,
                                              std::span<const BatchItem* const> items) {
    std::size_t inputs = 0;
    std::vector<std::size_t> prompt_bytes;
    for (const BatchItem* item : items) {
        inputs += item->inputs.size();
        prompt_bytes.push_back(item->bytes());
    }
    TRY(const Answer read, read_answer(api, answer, inputs));
    std::vector<std::string> lists;
    std::vector<std::size_t> answer_bytes;
    std::size_t first = 0;
    for (const BatchItem* item : items) {
        lists.push_back(part_of_list(read, first, item->inputs.size()));
        answer_bytes.push_back(lists.back().size());
        first += item->inputs.size();
    }
    std::optional<SharedUsage> usage;
    if (read.usage.present()) usage.emplace(read.usage.of(answer), prompt_bytes, answer_bytes);
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < items.size(); ++i) {
        std::vector<std::pair<ByteRange, std::string>> edits = {{read.list, lists[i]}};
        if (usage) edits.emplace_back(read.usage, usage->text(i));
        std::sort(edits.begin(), edits.end(),
                  [](const auto& a, const auto& b) { return a.first.begin < b.first.begin; });
        std::string& part = parts.emplace_back();
        std::size_t at = 0;
        for (const auto& [where, text] : edits) {
            part.append(answer.substr(at, where.begin - at)).append(text);
            at = where.end;
        }
        part.append(answer.substr(at));
    }
    return parts;
}

}  // namespace stoker::gateway
