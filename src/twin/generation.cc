#include "twin/generation.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

namespace stoker::twin {
namespace {

constexpr std::uint32_t kBytesPerToken = 4;
constexpr std::uint32_t kTokensPerMessage = 4;
constexpr std::uint32_t kBlockTokens = 16;
constexpr std::size_t kMaxDepth = 64;

std::uint32_t tokens_of(std::size_t bytes) {
    return static_cast<std::uint32_t>((bytes + kBytesPerToken - 1) / kBytesPerToken);
}

constexpr std::uint64_t kHashStart = 0xcbf29ce484222325ULL;

// FNV-1a.
std::uint64_t hash_byte(std::uint64_t hash, char byte) {
    return (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3ULL;
}

std::uint64_t hash_text(std::string_view text) {
    std::uint64_t hash = kHashStart;
    for (const char byte : text) hash = hash_byte(hash, byte);
    return hash;
}

// Walks the JSON once and keeps what matters, without building a tree: most of a request is prompt text.
class Reader : public nlohmann::json_sax<nlohmann::json> {
public:
    explicit Reader(Endpoint endpoint) { request.endpoint = endpoint; }

    bool null() override { return true; }
    bool boolean(bool value) override {
        if (path_ == "stream")
            request.stream = value;
        else if (path_ == "ignore_eos")
            request.ignore_eos = value;
        else if (path_ == "stream_options.include_usage")
            request.include_usage = value;
        else if (path_ == "continue_final_message")
            continue_final = value;
        else if (path_ == "add_generation_prompt")
            begin_turn = value;
        return true;
    }
    bool number_integer(number_integer_t value) override { return integer(value); }
    bool number_unsigned(number_unsigned_t value) override {
        return integer(static_cast<std::int64_t>(std::min<std::uint64_t>(value, INT64_MAX)));
    }
    bool number_float(number_float_t, const string_t&) override { return true; }
    bool binary(binary_t&) override { return false; }

    bool string(string_t& value) override {
        if (path_ == "model") {
            has_model = true;
            request.model = value;
        } else if (path_ == "stop" || path_ == "stop[]") {
            if (!value.empty()) request.stop.push_back(value);
        } else if (path_ == "tools[].function.name" || path_ == "tools[].name") {
            if (first_tool.empty()) first_tool = value;
        } else if (path_ == "tool_choice") {
            tool_required = value == "required";
        } else if (path_ == "tool_choice.type") {  // Anthropic's.
            tool_required = value == "any" || value == "tool";
        } else if (path_ == "messages[].role") {
            last_role = value;
        } else if (path_ == "messages[].content" || path_ == "messages[].content[].text" || path_ == "system" ||
                   path_ == "system[].text" || path_ == "instructions" || path_ == "input[].content" ||
                   path_ == "input[].content[].text") {
            add_text(value);
        } else if (path_ == "prompt" || path_ == "prompt[]" || path_ == "input" || path_ == "input[]") {
            has_prompt = true;
            prompts += path_ != "input" && path_ != "prompt";
            request.input_seeds.push_back(hash_text(value));
            add_text(value);
        }
        return true;
    }

    bool start_object(std::size_t) override {
        if (path_ == "messages[]" || path_ == "input[]") {
            has_prompt = true;
            request.prompt_tokens += kTokensPerMessage;
            last_begin = text.size();
            last_tokens = kTokensPerMessage;
        }
        return enter();
    }
    bool key(string_t& name) override {
        path_.resize(levels_.back());
        if (!path_.empty()) path_ += '.';
        path_ += name;
        return true;
    }
    bool end_object() override { return leave(); }
    bool start_array(std::size_t) override {
        bool entered = enter();
        path_ += "[]";
        return entered;
    }
    bool end_array() override { return leave(); }

    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
        error = "JSON decode error at byte " + std::to_string(position);
        return false;
    }

    GenerationRequest request;
    std::string text;  // All of the prompt.
    std::string last_role;
    std::string error;
    std::int64_t n = 1;
    std::uint32_t prompts = 0;
    std::string first_tool;
    bool tool_required = false;
    bool has_model = false;
    bool has_prompt = false;
    bool continue_final = false;
    bool begin_turn = false;        // add_generation_prompt, said explicitly.
    std::size_t last_begin = 0;     // Of the last message, in `text`.
    std::uint32_t last_tokens = 0;  // Of it.

private:
    bool integer(std::int64_t value) {
        if (path_ == "max_tokens" || path_ == "max_completion_tokens" || path_ == "max_output_tokens") {
            if (value < 1) {
                error = path_ + " must be at least 1, got " + std::to_string(value) + ".";
                return false;
            }
            request.max_tokens = static_cast<std::uint32_t>(std::min<std::int64_t>(value, UINT32_MAX));
        } else if (path_ == "n") {
            n = value;
        } else if (path_ == "prompt[]" || path_ == "prompt[][]" || path_ == "input[]" || path_ == "input[][]") {
            has_prompt = true;
            ++request.prompt_tokens;
        }
        return true;
    }

    void add_text(const std::string& value) {
        text += value;
        const std::uint32_t tokens = tokens_of(value.size());
        request.prompt_tokens += tokens;
        last_tokens += tokens;
    }

    bool enter() {
        levels_.push_back(path_.size());
        if (levels_.size() > kMaxDepth) error = "the request is nested too deeply";
        return error.empty();
    }
    bool leave() {
        path_.resize(levels_.back());
        levels_.pop_back();
        return true;
    }

    std::string path_;                 // "messages[].content[].text"
    std::vector<std::size_t> levels_;  // Length of path_ where each open container began.
};

// A hash of everything up to the end of each block.
std::vector<BlockHash> hash_blocks(std::string_view text) {
    constexpr std::size_t kBlockBytes = std::size_t{kBytesPerToken} * kBlockTokens;
    std::vector<BlockHash> blocks;
    blocks.reserve(text.size() / kBlockBytes);
    BlockHash hash = kHashStart;
    for (std::size_t i = 0; i < text.size(); ++i) {
        hash = hash_byte(hash, text[i]);
        if ((i + 1) % kBlockBytes == 0) blocks.push_back(hash);
    }
    return blocks;
}

// The words of ours that `text` ends in, one after the other: how many, where they begin, and the number after them.
struct OwnWords {
    std::uint32_t count = 0;
    std::size_t begin = 0;
    std::uint64_t next = 0;
};

OwnWords own_words(std::string_view text) {
    OwnWords words{.count = 0, .begin = text.size(), .next = 0};
    std::optional<std::uint64_t> expected;
    while (words.begin > 0) {
        std::size_t digits = words.begin;
        while (digits > 0 && text[digits - 1] >= '0' && text[digits - 1] <= '9') --digits;
        if (digits == words.begin || digits == 0 || text[digits - 1] != 'w') break;
        std::uint64_t number = 0;
        const auto read = std::from_chars(text.data() + digits, text.data() + words.begin, number);
        if (read.ec != std::errc{} || number >= UINT32_MAX || (expected && number != *expected)) break;
        const bool spaced = digits >= 2 && text[digits - 2] == ' ';
        if (!words.count) words.next = number + 1;
        ++words.count;
        words.begin = digits - (spaced && number > 0 ? 2 : 1);
        if (number == 0 || !spaced) break;
        expected = number - 1;
    }
    return words;
}

Error bad_request(std::string message) {
    return {Errc::InvalidArgument, std::move(message), 400};
}

// If the last text is one to go on with, makes the answer begin where it ends.
void continue_text(const Reader& reader, Continuation style, GenerationRequest& request) {
    const bool chat = request.endpoint == Endpoint::Chat;
    if (!chat && request.endpoint != Endpoint::Completion) return;
    if (chat && (reader.last_role != "assistant" || (style == Continuation::Vllm && !reader.continue_final))) return;
    const std::string_view last = std::string_view(reader.text).substr(chat ? reader.last_begin : 0);
    const OwnWords words = own_words(last);
    request.first_word = words.next;
    if (chat && !reader.continue_final) request.echo = last;
    if (words.count == 0) return;
    const std::uint32_t counted = chat ? reader.last_tokens : tokens_of(last.size());
    const std::uint32_t costs = words.count + (chat && words.begin == 0 ? 0 : tokens_of(words.begin));
    request.prompt_tokens = request.prompt_tokens - std::min(request.prompt_tokens, counted) + costs;
}

}  // namespace

Result<GenerationRequest> parse_generation_request(Endpoint endpoint, std::string_view body,
                                                   Continuation continuation) {
    Reader reader(endpoint);
    bool read = nlohmann::json::sax_parse(body, &reader);
    if (!read || !reader.error.empty()) return bad_request(reader.error.empty() ? "bad JSON" : reader.error);
    if (!reader.has_prompt) {
        constexpr std::string_view kFields[] = {"messages", "prompt", "input", "messages", "input"};
        return bad_request("Field required: " + std::string(kFields[static_cast<int>(endpoint)]));
    }
    if (reader.n != 1) return bad_request("n must be 1, got " + std::to_string(reader.n) + ".");
    if (reader.continue_final && reader.begin_turn) {
        return bad_request("Cannot set both `continue_final_message` and `add_generation_prompt` to True.");
    }
    if (endpoint == Endpoint::Completion && reader.prompts > 1) return bad_request("Only one prompt is supported.");
    GenerationRequest request = std::move(reader.request);
    if (reader.tool_required) request.tool = reader.first_tool;
    if (endpoint == Endpoint::Messages && !request.max_tokens) return bad_request("Field required: max_tokens");
    if (request.include_usage && !request.stream) {
        return bad_request("Stream options can only be defined when `stream=True`.");
    }
    // Typed events always tell the usage.
    request.include_usage |= endpoint == Endpoint::Messages || endpoint == Endpoint::Responses;
    request.inputs = std::max(1u, reader.prompts);
    request.asks_continuation = reader.continue_final;
    request.prompt_tokens = std::max(1u, request.prompt_tokens);
    request.prefix = hash_blocks(reader.text);
    request.prefix.resize(std::min<std::size_t>(request.prefix.size(), request.prompt_tokens / kBlockTokens));
    continue_text(reader, continuation, request);
    return request;
}

void append_word(std::string& text, const GenerationRequest& request, std::uint32_t index) {
    std::uint64_t number = request.first_word + index;
    if (number > 0) text += ' ';
    text += 'w';
    char digits[20];
    auto end = std::to_chars(std::begin(digits), std::end(digits), number).ptr;
    text.append(digits, end);
}

Result<OutputPlan> plan_output(const GenerationRequest& request, const Profile& profile) {
    std::uint64_t asked = request.max_tokens.value_or(0);
    if (request.prompt_tokens + std::max<std::uint64_t>(asked, 1) > profile.max_context) {
        return bad_request("This model's maximum context length is " + std::to_string(profile.max_context) +
                           " tokens. However, you requested " + std::to_string(request.prompt_tokens + asked) +
                           " tokens (" + std::to_string(request.prompt_tokens) + " in the messages, " +
                           std::to_string(asked) +
                           " in the completion). Please reduce the length of the messages or completion.");
    }
    std::uint32_t room = profile.max_context - request.prompt_tokens;
    std::uint32_t limit = request.max_tokens.value_or(room);
    std::uint32_t own_end = request.ignore_eos ? UINT32_MAX : profile.default_output;
    OutputPlan plan{.tokens = std::min(limit, own_end), .cut_by_length = limit <= own_end};
    if (request.stop.empty()) return plan;
    std::string word;
    for (std::uint32_t i = 0; i < plan.tokens; ++i) {
        word.clear();
        append_word(word, request, i);
        auto in_word = [&](const std::string& stop) { return word.find(stop) != std::string::npos; };
        if (std::any_of(request.stop.begin(), request.stop.end(), in_word)) {
            return OutputPlan{.tokens = i + 1, .cut_by_length = false, .drop_last = true};
        }
    }
    return plan;
}

}  // namespace stoker::twin
