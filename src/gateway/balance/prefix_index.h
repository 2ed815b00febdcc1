// Which blocks of prompts each replica presumably still has in its KV cache: an approximate table of fixed size.
//
// One table serves a pool. An entry is a block (its chained hash) with one stamp for each replica. A replica's clock
// counts the blocks that it had to take in anew; a block's stamp is the clock at its last use. An engine that evicts
// the least recently used has lost a block once as many others came after it as its cache holds, so a block whose stamp
// is further back than the replica's capacity is taken for evicted: no entry has to be found and removed. Chaining
// makes the table a tree (a block can be there only if those before it were), without pointers.
//
// Memory is taken once, in create: entries lie in sets of eight, and in a full set the block used longest ago makes
// room. Lookups and updates are lock-free on relaxed atomics; two that meet may lose an entry or misjudge one for a
// moment, which costs an estimate and nothing else. Thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "gateway/balance/prompt_hash.h"

namespace stoker::gateway {

class PrefixIndex {
public:
    // For `slots` replicas in at most `memory_bytes`, but one set at the least.
    PrefixIndex(std::size_t memory_bytes, std::size_t slots);

    // How many blocks at the front of `prompt` each replica has: matched[slot], one for each slot.
    // REQUIRES: matched.size() == slots().
    void match(std::span<const PromptHash> prompt, std::span<std::uint32_t> matched) const;

    // The replica gets this prompt, and so will have its blocks.
    void insert(std::span<const PromptHash> prompt, std::size_t slot);

    // How many blocks the replica's cache holds. Until told: a quarter of the table's blocks.
    void set_capacity(std::size_t slot, std::uint32_t blocks);
    std::uint32_t capacity(std::size_t slot) const { return capacity_[slot].load(std::memory_order_relaxed); }
    // The replica is another one now, or has lost its cache: it has nothing.
    void forget(std::size_t slot);

    std::size_t slots() const { return slots_; }
    std::size_t blocks() const { return sets_ * kWays; }
    std::size_t memory_bytes() const;

private:
    static constexpr std::size_t kWays = 8;  // Hashes of a set share a cache line.
    static constexpr std::size_t kNone = ~std::size_t{0};

    std::size_t set_of(PromptHash hash) const { return static_cast<std::size_t>(hash >> 32) & (sets_ - 1); }
    std::size_t find(PromptHash hash) const;  // An entry, or kNone.
    std::size_t make(PromptHash hash);        // An entry without stamps, in the place of the oldest of its set.
    std::atomic<std::uint32_t>& stamp(std::size_t entry, std::size_t slot) const {
        return stamps_[entry * slots_ + slot];
    }
    bool holds(std::uint32_t stamp, std::size_t slot) const;

    const std::size_t slots_;
    std::size_t sets_ = 1;                                  // A power of two.
    std::unique_ptr<std::atomic<PromptHash>[]> hashes_;     // 0: free.
    std::unique_ptr<std::atomic<std::uint32_t>[]> used_;    // By the table's own clock.
    std::unique_ptr<std::atomic<std::uint32_t>[]> stamps_;  // 0: never.
    std::unique_ptr<std::atomic<std::uint32_t>[]> clock_;
    std::unique_ptr<std::atomic<std::uint32_t>[]> capacity_;
    std::atomic<std::uint32_t> table_clock_{1};
};

}  // namespace stoker::gateway
