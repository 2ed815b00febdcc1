// The KV cache of a simulated engine: blocks that belong to one sequence, and blocks of known content that sequences
// with a common prefix share. Content that nobody uses stays until its block is needed (least recently used first).
//
// Content is named by a chained hash: the hash of a block covers all text before it. Not thread-safe.
#pragma once

#include <cstdint>
#include <list>
#include <span>
#include <unordered_map>

namespace stoker::twin {

using BlockHash = std::uint64_t;

class BlockPool {
public:
    explicit BlockPool(std::uint32_t total) : total_(total), free_(total) {}

    // How many blocks at the front of `prefix` are cached.
    std::uint32_t cached(std::span<const BlockHash> prefix) const;

    // Takes a reference to each of these cached blocks. REQUIRES: all are cached.
    void share(std::span<const BlockHash> prefix);
    void unshare(std::span<const BlockHash> prefix);

    // Takes `count` private blocks, evicting unused content; takes none and returns false if there are too few.
    bool take(std::uint32_t count);
    void give_back(std::uint32_t count) { free_ += count; }

    // Turns one private block into a shared one with a reference held by the caller. False if that content is cached
    // already; the block then stays private.
    bool publish(BlockHash content);

    // Makes blocks unusable, as if something else had filled the cache: take() fails while less than `count` are left.
    void set_withheld(std::uint32_t count) { withheld_ = count; }

    std::uint32_t total() const { return total_; }
    std::uint32_t available() const;
    // Share of blocks that hold something needed, withheld ones included; cached but unused content counts as free.
    double usage() const { return total_ == 0 ? 0 : 1.0 - static_cast<double>(available()) / total_; }

private:
    struct Shared {
        std::uint32_t references = 0;
        std::list<BlockHash>::iterator unused;  // Meaningful while references is 0.
    };

    std::uint32_t total_;
    std::uint32_t free_;
    std::uint32_t withheld_ = 0;
    std::unordered_map<BlockHash, Shared> shared_;
    std::list<BlockHash> unused_;  // Oldest first.
};

}  // namespace stoker::twin
