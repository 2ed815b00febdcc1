#include "tsdb/select_cache.h"

#include <algorithm>

#include "tsdb/bytes.h"

namespace stoker::tsdb {

namespace {

constexpr std::size_t kMostSelectors = 64;
constexpr std::size_t kMostSeries = 256 << 10;  // Of 12 bytes each.

std::string key_of(const std::vector<Matcher>& matchers) {
    std::string key;
    for (const Matcher& matcher : matchers) {
        put_varint(key, matcher.name.size());
        key += matcher.name;
        key += static_cast<char>(matcher.op);
        put_varint(key, matcher.value.size());
        key += matcher.value;
    }
    return key;
}

}  // namespace

std::shared_ptr<const SelectedSeries> SelectCache::find(const std::vector<Matcher>& matchers,
                                                        std::uint64_t generation) {
    const std::string key = key_of(matchers);
    MutexLock lock(mutex_);
    const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
        return entry.generation == generation && entry.key == key;
    });
    if (found == entries_.end()) {
        return nullptr;
    }
    entries_.splice(entries_.begin(), entries_, found);
    return found->series;
}

void SelectCache::put(const std::vector<Matcher>& matchers, std::uint64_t generation,
                      std::shared_ptr<const SelectedSeries> series) {
    Entry entry{key_of(matchers), generation, std::move(series)};
    MutexLock lock(mutex_);
    // Series have come or gone: the others will not be asked for again.
    for (auto at = entries_.begin(); at != entries_.end();) {
        if (at->generation != generation || at->key == entry.key) {
            held_ -= at->series->refs.size();
            at = entries_.erase(at);
        } else {
            ++at;
        }
    }
    held_ += entry.series->refs.size();
    entries_.push_front(std::move(entry));
    trim();
}

void SelectCache::trim() {
    while (entries_.size() > kMostSelectors || held_ > kMostSeries) {
        held_ -= entries_.back().series->refs.size();
        entries_.pop_back();
    }
}

}  // namespace stoker::tsdb
