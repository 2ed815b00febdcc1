#include "app/config_cache.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/config_checks.h"
#include "gateway/cache/answer_cache.h"

namespace stoker::app {

void describe(config::Fields& f, CacheRuleConfig& c) {
    f.field(
        "models", c.models,
        "Models that answer, by name or pattern (`llama-*`); the name after aliases, rules and splits. Empty: all.");
    f.field("tenants", c.tenants, "Whose requests, by name or pattern. Empty: everybody's.");
    f.field("exact", c.exact,
            "Whole answers to deterministic requests (`temperature: 0` or a `seed`; embeddings, scores and the like) "
            "are kept, and given again to identical requests of the same tenant.");
    f.field("coalesce", c.coalesce,
            "Identical deterministic requests of one tenant that are under way at the same time share one answer.");
    f.field("always", c.always, "Both for sampled answers as well: everybody gets the first sample.");
    positive(f, "ttl", c.ttl, "How long an answer is given again.");
    f.field(
        "semantic_model", c.semantic_model,
        "Embeddings model of one of the pools. Set, questions that mean about the same as one that was answered get "
        "that answer, if all else is identical: chat completions, messages and completions of text, `exact` as well. "
        "Each question that is not found exactly then costs an embedding.");
    f.check("semantic_model", c.semantic_model.empty() || c.exact,
            "needs `exact: true`: it gives answers that are kept");
    f.field("semantic_threshold", c.semantic_threshold,
            "How alike two questions must be: the cosine of their embeddings' angle, up to 1.");
    f.check("semantic_threshold", c.semantic_threshold > 0 && c.semantic_threshold <= 1,
            "must be above 0 and at most 1");
    f.choice("semantic_text", c.semantic_text, {"last_message", "conversation"},
             "What is compared by meaning: the user's last message, with the messages before it identical, or all "
             "messages.");
}

void describe(config::Fields& f, CacheConfig& c) {
    f.field("max_size", c.max_size, "Memory for all kept answers; those used longest ago go first.");
    f.field("max_answer", c.max_answer, "Longer answers are neither kept nor joined.");
    f.check("max_answer",
            c.max_answer.count > 0 && c.max_answer.count <= c.max_size.count / gateway::AnswerCache::kShards,
            "must be above 0 and at most a sixteenth of max_size");
    f.field("tenant_share", c.tenant_share, "The most of `max_size` that one tenant's answers may take, up to 1.");
    f.check("tenant_share", c.tenant_share > 0 && c.tenant_share <= 1, "must be above 0 and at most 1");
    at_least(
        f, "semantic_entries", c.semantic_entries, 1,
        "Questions that are remembered by meaning, of all tenants; the oldest go first. Each takes its embedding's "
        "bytes, and is compared with every question like it.");
    f.check("semantic_entries", c.semantic_entries <= 100'000, "must be at most 100000");
    f.list("rules", c.rules,
           "For which requests. The first one that fits holds; without any, nothing is kept or shared.");
}

void describe(config::Fields& f, BatchingConfig& c) {
    f.field("models", c.models,
            "Models that answer, by name or pattern; the name after aliases, rules and splits. Empty: all.");
    f.field("embeddings", c.embeddings, "`/v1/embeddings` with texts as input.");
    f.field(
        "completions", c.completions,
        "`/v1/completions` with texts as prompt, one choice, not streamed; for engines that take lists of prompts.");
    at_least(f, "max_inputs", c.max_inputs, 2, "Texts in one request to an engine; a full batch goes at once.");
    f.check("max_inputs", c.max_inputs <= 2048, "must be at most 2048, which is as much as APIs take");
    positive(f, "max_wait", c.max_wait, "How long the first request of a batch waits for others.");
    f.check("max_wait", c.max_wait <= Duration{1'000}, "must be at most 1s");
}

void check_cache(config::Fields& f, const CacheConfig& c, const std::vector<std::string>& served) {
    for (std::size_t i = 0; i < c.rules.size() && !served.empty(); ++i) {
        const std::string& model = c.rules[i].semantic_model;
        const bool known = model.empty() || std::find(served.begin(), served.end(), model) != served.end();
        f.check(fmt::format("cache.rules[{}].semantic_model", i), known,
                fmt::format("no pool has the model '{}'", model));
    }
}

gateway::CacheOptions cache_options(const CacheConfig& c, const std::vector<BatchingConfig>& batching) {
    gateway::CacheOptions options;
    options.max_bytes = c.max_size.count;
    options.max_answer_bytes = c.max_answer.count;
    options.tenant_share = c.tenant_share;
    options.semantic_entries = c.semantic_entries;
    for (const CacheRuleConfig& rule : c.rules) {
        options.rules.push_back({.models = rule.models,
                                 .tenants = rule.tenants,
                                 .exact = rule.exact,
                                 .coalesce = rule.coalesce,
                                 .always = rule.always,
                                 .ttl = rule.ttl,
                                 .semantic = {.model = rule.semantic_model,
                                              .threshold = rule.semantic_threshold,
                                              .whole_conversation = rule.semantic_text == "conversation"}});
    }
    for (const BatchingConfig& rule : batching) {
        options.batching.push_back({.models = rule.models,
                                    .embeddings = rule.embeddings,
                                    .completions = rule.completions,
                                    .max_inputs = rule.max_inputs,
                                    .max_wait = rule.max_wait});
    }
    return options;
}

}  // namespace stoker::app
