// What is known of each metric family: its type, its help and its unit. Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/sync.h"
#include "tsdb/store.h"

namespace stoker::tsdb {

std::string encode_metadata(const MetricMetadata& metadata);
// Errors: Corruption.
Result<MetricMetadata> decode_metadata(std::string_view bytes);

class MetadataBook {
public:
    // Senders make up families: past this many, new ones are dropped (docs/format/tsdb.md).
    static constexpr std::size_t kMaxFamilies = 1'000'000;
    static constexpr std::size_t kMaxText = 16 * 1024;  // Of a help text; what is over is cut off.

    void set(const FamilyMetadata& family);
    // Puts back what the disk has.
    void restore(const std::string& family, MetricMetadata metadata);
    // All, or that of one family; ascending.
    std::vector<FamilyMetadata> get(const std::string& family) const;
    // What was set since the last call.
    std::vector<FamilyMetadata> take_changed();

private:
    mutable Mutex mutex_;
    std::map<std::string, MetricMetadata> families_ GUARDED_BY(mutex_);
    std::set<std::string> changed_ GUARDED_BY(mutex_);
};

}  // namespace stoker::tsdb
