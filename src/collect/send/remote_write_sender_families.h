// What a remote-write receiver is to know of metric families, and what it was told already.
//
// By 2.0 every series carries its family's metadata, looked up in book(). 1.0 has requests of their own for it:
// pending() says what to send next. refresh(), pending() and told() are for one thread at a time; book() is
// thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/snapshot.h"
#include "base/time.h"
#include "collect/send/remote_write_sender_record.h"

namespace stoker::collect {

class SenderFamilies {
public:
    // `read` gives all families there are. All are told again once in `repeat`: receivers forget, and restart.
    SenderFamilies(std::function<std::vector<tsdb::FamilyMetadata>()> read, Duration repeat);

    void refresh();
    std::shared_ptr<const FamilyBook> book() const { return book_.get(); }

    // At most `most` families that are new, changed, or due again.
    std::vector<tsdb::FamilyMetadata> pending(SteadyTime now, std::size_t most) const;
    void told(const std::vector<tsdb::FamilyMetadata>& families, SteadyTime now);

private:
    struct Told {
        tsdb::MetricMetadata metadata;
        SteadyTime at;
    };

    const std::function<std::vector<tsdb::FamilyMetadata>()> read_;
    const Duration repeat_;
    Snapshot<FamilyBook> book_;
    std::unordered_map<std::string, Told> told_;
};

}  // namespace stoker::collect
