#include "gateway/balance/prefix_index.h"

#include <algorithm>
#include <bit>

namespace stoker::gateway {
namespace {

template <typename T>
std::unique_ptr<std::atomic<T>[]> zeros(std::size_t count) { return std::make_unique<std::atomic<T>[]>(count); }

std::size_t bytes_per_block(std::size_t slots) {
    return sizeof(PromptHash) + sizeof(std::uint32_t) * (1 + slots);
}

}  // namespace

PrefixIndex::PrefixIndex(std::size_t memory_bytes, std::size_t slots) : slots_(slots) {
    const std::size_t affordable = memory_bytes / (bytes_per_block(slots) * kWays);
    sets_ = std::bit_floor(std::max<std::size_t>(affordable, 1));
    hashes_ = zeros<PromptHash>(blocks());
    used_ = zeros<std::uint32_t>(blocks());
    stamps_ = zeros<std::uint32_t>(blocks() * slots);
    clock_ = zeros<std::uint32_t>(slots);
    capacity_ = zeros<std::uint32_t>(slots);
    for (std::size_t slot = 0; slot < slots; ++slot) {
        clock_[slot] = 1;
        set_capacity(slot, static_cast<std::uint32_t>(std::max<std::size_t>(blocks() / 4, 1)));
    }
}

std::size_t PrefixIndex::memory_bytes() const {
    return blocks() * bytes_per_block(slots_);
}

bool PrefixIndex::holds(std::uint32_t stamp, std::size_t slot) const {
    return stamp != 0 && clock_[slot].load(std::memory_order_relaxed) - stamp < capacity(slot);
}

std::size_t PrefixIndex::find(PromptHash hash) const {
    const std::size_t begin = set_of(hash) * kWays;
    for (std::size_t way = begin; way < begin + kWays; ++way) {
        if (hashes_[way].load(std::memory_order_relaxed) == hash) return way;
    }
    return kNone;
}

void PrefixIndex::match(std::span<const PromptHash> prompt, std::span<std::uint32_t> matched) const {
    std::fill(matched.begin(), matched.end(), 0);
    for (std::uint32_t block = 0; block < prompt.size(); ++block) {
        const std::size_t entry = find(prompt[block]);
        if (entry == kNone) return;
        bool any = false;
        for (std::size_t slot = 0; slot < slots_; ++slot) {
            if (matched[slot] != block || !holds(stamp(entry, slot).load(std::memory_order_relaxed), slot)) continue;
            ++matched[slot];
            any = true;
        }
        if (!any) return;
    }
}

std::size_t PrefixIndex::make(PromptHash hash) {
    const std::size_t begin = set_of(hash) * kWays;
    const std::uint32_t now = table_clock_.fetch_add(1, std::memory_order_relaxed);
    std::size_t oldest = begin;
    std::uint32_t oldest_age = 0;
    for (std::size_t way = begin; way < begin + kWays; ++way) {
        if (hashes_[way].load(std::memory_order_relaxed) == 0) {
            oldest = way;
            break;
        }
        const std::uint32_t age = now - used_[way].load(std::memory_order_relaxed);
        if (age < oldest_age) continue;
        oldest = way;
        oldest_age = age;
    }
    for (std::size_t slot = 0; slot < slots_; ++slot) stamp(oldest, slot).store(0, std::memory_order_relaxed);
    hashes_[oldest].store(hash, std::memory_order_relaxed);
    return oldest;
}

void PrefixIndex::insert(std::span<const PromptHash> prompt, std::size_t slot) {
    for (const PromptHash hash : prompt) {
        std::size_t entry = find(hash);
        if (entry == kNone) entry = make(hash);
        used_[entry].store(table_clock_.load(std::memory_order_relaxed), std::memory_order_relaxed);
        std::atomic<std::uint32_t>& own = stamp(entry, slot);
        const bool there = holds(own.load(std::memory_order_relaxed), slot);
        std::uint32_t clock = there ? clock_[slot].load(std::memory_order_relaxed)
                                    : clock_[slot].fetch_add(1, std::memory_order_relaxed) + 1;
        own.store(clock == 0 ? 1 : clock, std::memory_order_relaxed);
    }
}

void PrefixIndex::set_capacity(std::size_t slot, std::uint32_t blocks) {
    capacity_[slot].store(std::max<std::uint32_t>(blocks, 1), std::memory_order_relaxed);
}

void PrefixIndex::forget(std::size_t slot) {
    for (std::size_t entry = 0; entry < blocks(); ++entry) stamp(entry, slot).store(0, std::memory_order_relaxed);
}

}  // namespace stoker::gateway
