#include "agent/families.h"

namespace stoker::agent {

void Families::add(const std::vector<tsdb::FamilyMetadata>& families) {
    MutexLock lock(mutex_);
    std::shared_ptr<collect::FamilyBook> next;  // Only if something is new: sources tell the same each round.
    for (const tsdb::FamilyMetadata& one : families) {
        const collect::FamilyBook& known = next ? *next : *book_;
        const auto found = known.find(one.family);
        const bool is_new = found == known.end();
        if (!is_new && found->second == one.metadata) continue;
        if (is_new && known.size() >= kMost) continue;
        if (!next) next = std::make_shared<collect::FamilyBook>(*book_);
        next->insert_or_assign(one.family, one.metadata);
    }
    if (next) book_ = std::move(next);
}

std::shared_ptr<const collect::FamilyBook> Families::book() const {
    MutexLock lock(mutex_);
    return book_;
}

}  // namespace stoker::agent
