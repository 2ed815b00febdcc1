// What may be answered from memory, and what goes to engines together, as plain values with their defaults. Nothing is
// and nothing does, unless a rule says so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "gateway/batch/batch_options.h"

namespace stoker::gateway {

// Answers to questions that mean about the same.
struct SemanticOptions {
    std::string model{};              // That makes the embeddings, served by a pool; empty: off.
    double threshold = 0.95;          // Cosine of the angle between the embeddings of two questions, at least.
    bool whole_conversation = false;  // Compared are all messages; else the last one, and the others must be identical.
};

// For requests that one of these models would answer, of one of these tenants.
struct CacheRule {
    std::vector<std::string> models{};   // Patterns; empty: every model.
    std::vector<std::string> tenants{};  // The same; requests without a key have the tenant "".
    bool exact = true;                   // Answers are kept, and given to identical requests.
    bool coalesce = true;                // Identical requests under way share one answer.
    bool always = false;                 // Also where sampling could have given another answer.
    Duration ttl{600'000};               // How long an answer is good.
    SemanticOptions semantic{};
};

struct CacheOptions {
    std::size_t max_bytes = 256 * 1024 * 1024;  // Of all answers, with what it takes to find them.
    std::size_t max_answer_bytes = 1024 * 1024;
    double tenant_share = 0.5;             // The most of it that one tenant's answers may take.
    std::int64_t semantic_entries = 4096;  // Questions that are compared, in all; each takes its embedding's bytes.
    std::vector<CacheRule> rules{};
    std::vector<BatchRule> batching{};

    // The first rule for such a request; null: none.
    const CacheRule* rule_for(std::string_view model, std::string_view tenant) const;
    const BatchRule* batch_rule_for(std::string_view model, bool embeddings) const;
};

}  // namespace stoker::gateway
