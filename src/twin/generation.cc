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
        } else if (path_ == "messages[].role") {
            last_role = value;
        } else if (path_ == "messages[].content" || path_ == "messages[].content[].text") {
            add_text(value);
        } else if (path_ == "prompt" || path_ == "prompt[]" || path_ == "input" || path_ == "input[]") {
            has_prompt = true;
            prompts += path_ != "input" && path_ != "prompt";
            add_text(value);
        }
        return true;
    }

    bool start_object(std::size_t) override {
        if (path_ == "messages[]") {
            has_prompt = true;
            request.prompt_tokens += kTokensPerMessage;
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
    bool has_model = false;
    bool has_prompt = false;
    bool continue_final = false;

private:
    bool integer(std::int64_t value) {
        if (path_ == "max_tokens" || path_ == "max_completion_tokens") {
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
        request.prompt_tokens += static_cast<std::uint32_t>((value.size() + kBytesPerToken - 1) / kBytesPerToken);
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

// FNV-1a over everything up to the end of each block.
std::vector<BlockHash> hash_blocks(std::string_view text) {
    constexpr std::size_t kBlockBytes = std::size_t{kBytesPerToken} * kBlockTokens;
    std::vector<BlockHash> blocks;
    blocks.reserve(text.size() / kBlockBytes);
    BlockHash hash = 0xcbf29ce484222325ULL;
    for (std::size_t i = 0; i < text.size(); ++i) {
        hash = (hash ^ static_cast<unsigned char>(text[i])) * 0x100000001b3ULL;
        if ((i + 1) % kBlockBytes == 0) blocks.push_back(hash);
    }
    return blocks;
}

// The number after the last word of `text`, if that is one of ours.
std::uint64_t word_after(std::string_view text) {
    std::size_t start = text.find_last_of(' ');
    start = start == std::string_view::npos ? 0 : start + 1;
    if (start >= text.size() || text[start] != 'w') return 0;
    std::uint64_t number = 0;
    auto [end, failed] = std::from_chars(text.data() + start + 1, text.data() + text.size(), number);
    if (failed != std::errc{} || end != text.data() + text.size() || number >= UINT32_MAX) return 0;
    return number + 1;
}

Error bad_request(std::string message) {
    return {Errc::InvalidArgument, std::move(message), 400};
}

}  // namespace

Result<GenerationRequest> parse_generation_request(Endpoint endpoint, std::string_view body) {
    Reader reader(endpoint);
    bool read = nlohmann::json::sax_parse(body, &reader);
    if (!read || !reader.error.empty()) return bad_request(reader.error.empty() ? "bad JSON" : reader.error);
    if (!reader.has_prompt) {
        constexpr std::string_view kFields[] = {"messages", "prompt", "input"};
        return bad_request("Field required: " + std::string(kFields[static_cast<int>(endpoint)]));
    }
    if (reader.n != 1) return bad_request("n must be 1, got " + std::to_string(reader.n) + ".");
    if (endpoint == Endpoint::Completion && reader.prompts > 1) return bad_request("Only one prompt is supported.");
    GenerationRequest request = std::move(reader.request);
    if (request.include_usage && !request.stream) {
        return bad_request("Stream options can only be defined when `stream=True`.");
    }
    request.inputs = std::max(1u, reader.prompts);
    request.prompt_tokens = std::max(1u, request.prompt_tokens);
    request.prefix = hash_blocks(reader.text);
    request.prefix.resize(std::min<std::size_t>(request.prefix.size(), request.prompt_tokens / kBlockTokens));
    bool continues = endpoint == Endpoint::Completion || (reader.continue_final && reader.last_role == "assistant");
    if (continues) request.first_word = word_after(reader.text);
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
