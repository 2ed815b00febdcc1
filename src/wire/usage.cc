#include "wire/usage.h"

#include <algorithm>
#include <string_view>

namespace stoker::wire {
namespace {

// As in the text: what is not there stays empty.
struct Counts {
    std::optional<std::int64_t> prompt, input, completion, output, total, cached, cache_read, cache_created, reasoning;
};

std::optional<std::int64_t> token_count(JsonCursor& json) {
    if (json.peek() != JsonKind::Number) {
        json.skip();
        return {};
    }
    return std::max<std::int64_t>(json.integer().value_or(0), 0);
}

void scan_details(JsonCursor& json, std::string_view name, std::optional<std::int64_t>& count) {
    if (json.peek() != JsonKind::Object) {
        json.skip();
        return;
    }
    json.begin_object();
    for (std::string_view key; json.next_key(key);) {
        if (key == name) {
            count = token_count(json);
        } else {
            json.skip();
        }
    }
}

void scan_member(JsonCursor& json, std::string_view key, Counts& counts) {
    if (key == "prompt_tokens") {
        counts.prompt = token_count(json);
    } else if (key == "completion_tokens") {
        counts.completion = token_count(json);
    } else if (key == "input_tokens") {
        counts.input = token_count(json);
    } else if (key == "output_tokens") {
        counts.output = token_count(json);
    } else if (key == "total_tokens") {
        counts.total = token_count(json);
    } else if (key == "prompt_tokens_details" || key == "input_tokens_details") {
        scan_details(json, "cached_tokens", counts.cached);
    } else if (key == "completion_tokens_details" || key == "output_tokens_details") {
        scan_details(json, "reasoning_tokens", counts.reasoning);
    } else if (key == "cache_read_input_tokens") {
        counts.cache_read = token_count(json);
    } else if (key == "cache_creation_input_tokens") {
        counts.cache_created = token_count(json);
    } else if (key == "reasoning_tokens") {  // SGLang's place for it.
        counts.reasoning = token_count(json);
    } else {
        json.skip();
    }
}

}  // namespace

std::optional<Usage> scan_usage(JsonCursor& json) {
    Counts counts;
    json.begin_object();
    for (std::string_view key; json.next_key(key);) scan_member(json, key, counts);
    if (!counts.prompt && !counts.input && !counts.completion && !counts.output && !counts.total) return {};
    Usage usage;
    usage.completion_tokens = counts.completion.value_or(counts.output.value_or(0));
    usage.cached_tokens = counts.cached.value_or(counts.cache_read.value_or(0));
    usage.cache_written_tokens = counts.cache_created.value_or(0);
    usage.reasoning_tokens = counts.reasoning.value_or(0);
    usage.tells_cached = counts.cached || counts.cache_read;
    if (counts.prompt) {
        usage.prompt_tokens = *counts.prompt;
    } else if (counts.input) {
        usage.prompt_tokens = *counts.input + counts.cache_read.value_or(0) + counts.cache_created.value_or(0);
    } else if (counts.total) {  // Rerankers know no more.
        usage.prompt_tokens = std::max<std::int64_t>(*counts.total - usage.completion_tokens, 0);
    }
    return usage;
}

Usage merge(const Usage& a, const Usage& b) {
    return {std::max(a.prompt_tokens, b.prompt_tokens),       std::max(a.completion_tokens, b.completion_tokens),
            std::max(a.cached_tokens, b.cached_tokens),       std::max(a.cache_written_tokens, b.cache_written_tokens),
            std::max(a.reasoning_tokens, b.reasoning_tokens), a.tells_cached || b.tells_cached};
}

}  // namespace stoker::wire
