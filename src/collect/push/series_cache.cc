#include "collect/push/series_cache.h"

#include <algorithm>
#include <cstring>
#include <random>

namespace stoker::collect {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::size_t kBlock = 16;                                 // Bytes hashed at a time: two words.
constexpr std::size_t kShift = 2;                                  // The second pass' keys lie so far on.
constexpr std::size_t kKeys = SeriesCache::kMaxText / 8 + kShift;  // Of both passes.
constexpr std::size_t kFolds = kKeys;                              // After them: 3 wide keys for each fold.
constexpr std::size_t kSecrets = kKeys + std::size_t{2} * 3 * 2;
constexpr std::size_t kFirstSlots = 256;
constexpr std::size_t kAhead = 8;  // Slots fetched before they are looked at.

// Multilinear over 128-bit keys, the upper half of which is the hash: strongly universal.
std::uint64_t fold(Wide sum, std::size_t size, const std::uint64_t* secrets) {
    const auto wide = [&](std::size_t i) { return (static_cast<Wide>(secrets[2 * i]) << 64) | secrets[2 * i + 1]; };
    const Wide mixed =
        wide(0) * static_cast<std::uint64_t>(sum) + wide(1) * static_cast<std::uint64_t>(sum >> 64) + wide(2) * size;
    return static_cast<std::uint64_t>(mixed >> 64);
}

std::uint32_t minutes(Timestamp time) {
    constexpr std::int64_t kMinute = 60'000;
    return static_cast<std::uint32_t>(std::max<std::int64_t>(to_millis(time) / kMinute, 1));
}

}  // namespace

SeriesCache::SeriesCache(SeriesCacheOptions options)
    : most_a_shard_(std::max<std::size_t>(options.most / kShards, kFirstSlots)),
      forget_after_(static_cast<std::uint32_t>(std::max<std::int64_t>(options.forget_after.count() / 60'000, 1))) {
    std::random_device random;
    secrets_.reserve(kSecrets);
    while (secrets_.size() < kSecrets) {
        secrets_.push_back((static_cast<std::uint64_t>(random()) << 32) | random());
    }
}

std::optional<SeriesCache::Key> SeriesCache::key(std::string_view text) const {
    if (text.size() > kMaxText) {
        return std::nullopt;
    }
    const std::uint64_t* secret = secrets_.data();
    Wide first = 0;
    Wide second = 0;
    const auto mix = [&](const char* at) {
        std::array<std::uint64_t, 2> words{};
        std::memcpy(words.data(), at, kBlock);
        first += static_cast<Wide>(words[0] + secret[0]) * (words[1] + secret[1]);
        second += static_cast<Wide>(words[0] + secret[kShift]) * (words[1] + secret[kShift + 1]);
        secret += 2;
    };
    std::size_t at = 0;
    for (; at + kBlock <= text.size(); at += kBlock) {
        mix(text.data() + at);
    }
    if (at < text.size()) {
        std::array<char, kBlock> last{};
        std::memcpy(last.data(), text.data() + at, text.size() - at);
        mix(last.data());
    }
    const std::uint64_t* folds = secrets_.data() + kFolds;
    return Key{fold(first, text.size(), folds), fold(second, text.size(), folds + 6)};
}

SeriesCache::Slot& SeriesCache::Shard::probe(Key key) {
    const std::size_t mask = slots.size() - 1;
    std::size_t at = key.low & mask;
    while (slots[at].seen != 0 && slots[at].key != key) {
        at = (at + 1) & mask;
    }
    return slots[at];
}

void SeriesCache::find(std::span<const Key> keys, std::span<tsdb::SeriesRef> refs, Timestamp now) {
    // Grouped by shard: shard s asks for order[starts[s] .. starts[s + 1]).
    std::array<std::uint32_t, kShards + 1> starts{};
    for (const Key& key : keys) {
        ++starts[shard_of(key) + 1];
    }
    for (std::size_t s = 0; s < kShards; ++s) {
        starts[s + 1] += starts[s];
    }
    std::vector<std::uint32_t> order(keys.size());
    auto next = starts;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        order[next[shard_of(keys[i])]++] = static_cast<std::uint32_t>(i);
    }
    const std::uint32_t minute = minutes(now);
    for (std::size_t s = 0; s < kShards; ++s) {
        const std::span<const std::uint32_t> mine(order.data() + starts[s], starts[s + 1] - starts[s]);
        Shard& shard = shards_[s];
        MutexLock lock(shard.mutex);
        for (std::size_t i = 0; i < mine.size(); ++i) {
            if (shard.slots.empty()) {
                refs[mine[i]] = 0;
                continue;
            }
            if (i + kAhead < mine.size()) {
                __builtin_prefetch(&shard.slots[keys[mine[i + kAhead]].low & (shard.slots.size() - 1)]);
            }
            Slot& slot = shard.probe(keys[mine[i]]);
            refs[mine[i]] = slot.seen == 0 ? 0 : slot.ref;
            slot.seen = slot.seen == 0 ? 0 : minute;
        }
    }
}

void SeriesCache::put(Key key, tsdb::SeriesRef ref, Timestamp now) {
    const std::uint32_t minute = minutes(now);
    Shard& shard = shards_[shard_of(key)];
    MutexLock lock(shard.mutex);
    if (!shard.slots.empty()) {
        if (Slot& slot = shard.probe(key); slot.seen != 0) {
            slot.ref = ref;
            slot.seen = minute;
            return;
        }
    }
    if (ref == 0) {
        return;
    }
    if (4 * (shard.used + 1) > 3 * shard.slots.size()) {
        shard.make_room(most_a_shard_, minute, forget_after_);
    }
    shard.probe(key) = {key, ref, minute};
    ++shard.used;
}

// Called when the table is three quarters full.
void SeriesCache::Shard::make_room(std::size_t most, std::uint32_t now, std::uint32_t forget_after) {
    std::size_t size = std::max(slots.size(), kFirstSlots);
    std::vector<std::uint32_t> seen;
    for (const Slot& slot : slots) {
        if (slot.seen + forget_after >= now && slot.seen != 0) {
            seen.push_back(slot.seen);
        }
    }
    std::uint32_t oldest = now > forget_after ? now - forget_after : 1;
    if (2 * seen.size() >= size) {
        if (3 * size / 2 <= most) {  // Three quarters of twice the size.
            size *= 2;
        } else {
            const auto middle = seen.begin() + static_cast<std::ptrdiff_t>(seen.size() / 2);
            std::nth_element(seen.begin(), middle, seen.end());
            oldest = *middle + 1;
        }
    }
    rebuild(size, oldest);
}

void SeriesCache::Shard::rebuild(std::size_t size, std::uint32_t oldest) {
    std::vector<Slot> old = std::move(slots);
    slots.assign(size, Slot{});
    used = 0;
    for (const Slot& slot : old) {
        if (slot.seen >= oldest && slot.ref != 0) {
            probe(slot.key) = slot;
            ++used;
        }
    }
}

std::size_t SeriesCache::size() const {
    std::size_t total = 0;
    for (const Shard& shard : shards_) {
        MutexLock lock(shard.mutex);
        total += shard.used;
    }
    return total;
}

}  // namespace stoker::collect
