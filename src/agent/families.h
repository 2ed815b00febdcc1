// What is known of metric families: collected from the sources, told to destinations. Thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "base/sync.h"
#include "collect/send/remote_write_sender_record.h"

namespace stoker::agent {

class Families {
public:
    // More than kMost different ones are not kept.
    void add(const std::vector<tsdb::FamilyMetadata>& families);
    std::shared_ptr<const collect::FamilyBook> book() const;

    static constexpr std::size_t kMost = 20'000;

private:
    mutable Mutex mutex_;
    std::shared_ptr<const collect::FamilyBook> book_ GUARDED_BY(mutex_) = std::make_shared<const collect::FamilyBook>();
};

}  // namespace stoker::agent
