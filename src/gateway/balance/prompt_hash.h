// The blocks of a prompt as chained hashes: the hash of a block stands for it and all text before it, so two prompts
// agree on exactly as many blocks as their common beginning has.
//
// What is hashed is the prompt as the client wrote it (the JSON value of `messages` or `prompt`), because a chat grows
// at its end there too. 16 bytes at a time by a folded 64x64-bit multiplication, as in wyhash; several bytes a cycle.
// Not for security: a client that makes two prompts collide only misleads the guess of where its prompt is cached.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "gateway/meter/tokens.h"

namespace stoker::gateway {

using PromptHash = std::uint64_t;

// 256 bytes are about 64 tokens: four of vLLM's usual blocks.
inline constexpr std::size_t kPromptBlockBytes = 256;
inline constexpr std::int64_t kPromptBlockTokens = kPromptBlockBytes / kBytesPerToken;

// A hash that is the same in every process and build: what consistent hashing needs of ids and keys.
std::uint64_t stable_hash(std::string_view text, std::uint64_t seed = 0);

// The hashes of the whole blocks of `prompt`, at most `most`; a part of a block at the end is left out. `seed` tells
// apart what is cached apart: models and adapters. Replaces what `hashes` held.
void hash_prompt(std::string_view prompt, std::uint64_t seed, std::size_t most, std::vector<PromptHash>& hashes);

}  // namespace stoker::gateway
