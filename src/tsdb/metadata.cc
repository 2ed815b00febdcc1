#include "tsdb/metadata.h"

#include "tsdb/bytes.h"

namespace stoker::tsdb {

std::string encode_metadata(const MetricMetadata& metadata) {
    std::string out;
    put_text(out, metadata.type);
    put_text(out, metadata.help);
    put_text(out, metadata.unit);
    return out;
}

Result<MetricMetadata> decode_metadata(std::string_view bytes) {
    ByteReader reader(bytes);
    MetricMetadata metadata;
    metadata.type = reader.text();
    metadata.help = reader.text();
    metadata.unit = reader.text();
    if (!reader.ok() || !reader.at_end()) {
        return Error{Errc::Corruption, "malformed metadata of a family"};
    }
    return metadata;
}

void MetadataBook::set(const FamilyMetadata& family) {
    if (family.family.empty() || family.family.size() > kMaxText) {
        return;
    }
    MetricMetadata metadata{family.metadata.type.substr(0, kMaxText), family.metadata.help.substr(0, kMaxText),
                            family.metadata.unit.substr(0, kMaxText)};
    MutexLock lock(mutex_);
    auto known = families_.find(family.family);
    if (known == families_.end()) {
        if (families_.size() >= kMaxFamilies) {
            return;
        }
        known = families_.try_emplace(family.family).first;
    } else if (known->second == metadata) {
        return;  // By far the most common: every scrape says the same again.
    }
    known->second = std::move(metadata);
    changed_.insert(family.family);
}

void MetadataBook::restore(const std::string& family, MetricMetadata metadata) {
    MutexLock lock(mutex_);
    families_.insert_or_assign(family, std::move(metadata));
}

std::vector<FamilyMetadata> MetadataBook::get(const std::string& family) const {
    std::vector<FamilyMetadata> found;
    MutexLock lock(mutex_);
    if (!family.empty()) {
        if (const auto known = families_.find(family); known != families_.end()) {
            found.push_back({known->first, known->second});
        }
        return found;
    }
    found.reserve(families_.size());
    for (const auto& [name, metadata] : families_) {
        found.push_back({name, metadata});
    }
    return found;
}

std::vector<FamilyMetadata> MetadataBook::take_changed() {
    std::vector<FamilyMetadata> changed;
    MutexLock lock(mutex_);
    for (const std::string& name : changed_) {
        changed.push_back({name, families_.find(name)->second});
    }
    changed_.clear();
    return changed;
}

}  // namespace stoker::tsdb
