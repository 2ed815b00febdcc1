// Several requests' bodies as one, and its answer as several again.
//
// Requests can be put together if they differ in nothing but their inputs, and those are texts. Each gets back its own
// part, renumbered from 0, with its share of the usage: prompt tokens by the bytes of its inputs, completion tokens by
// the bytes of its answer, so that the shares of all make exactly what the engine counted. Pure, thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace stoker::gateway {

enum class BatchApi : unsigned char {
    Embeddings,  // /v1/embeddings: `input`, `data[].index`
    Completions  // /v1/completions: `prompt`, `choices[].index`; one choice for each prompt, not streamed
};
// The one whose path this is.
std::optional<BatchApi> batch_api(std::string_view path);

struct BatchItem {
    std::string others;               // What all requests of a batch have in common: members, without braces.
    std::vector<std::string> inputs;  // Texts, as JSON writes them.
    std::size_t bytes() const;        // Of the inputs.
};

// Empty: the request must go by itself (token ids, several choices, a stream, no input at all).
std::optional<BatchItem> read_batch_item(BatchApi api, std::string_view body);

// REQUIRES: items with the same `others`, at least one. `model` as the client named it.
std::string batch_body(BatchApi api, std::string_view model, std::span<const BatchItem* const> items);

// The parts of the batch's answer, in the order of the items. Errors: Corruption, it does not have exactly one answer
// for each input.
Result<std::vector<std::string>> split_answer(BatchApi api, std::string_view answer,
                                              std::span<const BatchItem* const> items);

// `total` in whole parts as large as the weights; they add up to it. All weights 0: as if they were equal.
std::vector<std::int64_t> share_out(std::int64_t total, std::span<const std::size_t> weights);

}  // namespace stoker::gateway
