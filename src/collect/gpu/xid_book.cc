#include "collect/gpu/xid_book.h"

#include <algorithm>

namespace stoker::collect {

void XidBook::note(XidFrom from, std::string_view pci, std::int64_t code, bool nvswitch, Timestamp at,
                   std::string_view detail) {
    MutexLock lock(mutex_);
    const Key key{std::string(pci), nvswitch, code};
    if (!entries_.contains(key) && entries_.size() >= kMost) {
        ++dropped_;
        return;
    }
    Entry& entry = entries_[key];
    if (from == XidFrom::Event) ++entry.events;
    if (from == XidFrom::KernelLog) ++entry.logged;
    entry.last = std::max(entry.last, at);
    if (!detail.empty()) entry.detail = detail.substr(0, kLongestDetail);
}

std::vector<XidCount> XidBook::counts() const {
    MutexLock lock(mutex_);
    std::vector<XidCount> all;
    for (const auto& [key, entry] : entries_) {
        all.push_back({.pci = key.pci,
                       .code = key.code,
                       .nvswitch = key.nvswitch,
                       .count = std::max(entry.events, entry.logged),
                       .last = entry.last,
                       .detail = entry.detail});
    }
    return all;
}

std::int64_t XidBook::dropped() const {
    MutexLock lock(mutex_);
    return dropped_;
}

}  // namespace stoker::collect
