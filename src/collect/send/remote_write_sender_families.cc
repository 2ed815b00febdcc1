#include "collect/send/remote_write_sender_families.h"

#include <utility>

namespace stoker::collect {

SenderFamilies::SenderFamilies(std::function<std::vector<tsdb::FamilyMetadata>()> read, Duration repeat)
    : read_(std::move(read)), repeat_(repeat) {}

void SenderFamilies::refresh() {
    if (!read_) {
        return;
    }
    auto book = std::make_shared<FamilyBook>();
    for (tsdb::FamilyMetadata& one : read_()) book->insert_or_assign(std::move(one.family), std::move(one.metadata));
    // What is gone from the store need not be remembered either.
    std::erase_if(told_, [&](const auto& entry) { return book->find(entry.first) == book->end(); });
    book_.set(std::move(book));
}

std::vector<tsdb::FamilyMetadata> SenderFamilies::pending(SteadyTime now, std::size_t most) const {
    std::vector<tsdb::FamilyMetadata> due;
    const auto book = book_.get();
    for (const auto& [family, metadata] : *book) {
        if (due.size() == most) {
            break;
        }
        const auto known = told_.find(family);
        if (known == told_.end() || now - known->second.at >= repeat_ || known->second.metadata != metadata) {
            due.push_back({family, metadata});
        }
    }
    return due;
}

void SenderFamilies::told(const std::vector<tsdb::FamilyMetadata>& families, SteadyTime now) {
    for (const tsdb::FamilyMetadata& one : families) told_.insert_or_assign(one.family, Told{one.metadata, now});
}

}  // namespace stoker::collect
