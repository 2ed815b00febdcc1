#include "promql/group_table.h"

#include <algorithm>

#include "promql/aggregate.h"
#include "promql/frame.h"
#include "tsdb/hash.h"

namespace stoker::promql {

namespace {

constexpr std::uint64_t kSpread = 0x9e3779b97f4a7c15ULL;

}  // namespace

bool GroupTable::matters(const std::string& name, bool nameless) const {
    if (name == tsdb::kMetricName && (nameless || node_.without)) return false;
    const bool listed = std::find(node_.grouping.begin(), node_.grouping.end(), name) != node_.grouping.end();
    return listed != node_.without;
}

std::uint64_t GroupTable::key(const tsdb::Labels& labels, bool nameless) const {
    std::uint64_t hash = 0;
    if (!node_.without && node_.grouping.empty()) return hash;
    for (const auto& [name, value] : labels) {
        if (matters(name, nameless)) hash = tsdb::hash_text(value, tsdb::hash_text(name, hash));
    }
    return hash;
}

bool GroupTable::belongs(const tsdb::Labels& labels, bool nameless, const tsdb::Labels& group) const {
    auto at = group.begin();
    for (const auto& pair : labels) {
        if (!matters(pair.first, nameless)) continue;
        if (at == group.end() || *at != pair) return false;
        ++at;
    }
    return at == group.end();
}

std::size_t GroupTable::find(std::uint64_t key, const tsdb::Labels& labels, bool nameless) {
    const auto [first, last] = by_key_.equal_range(key);
    for (auto at = first; at != last; ++at) {
        if (belongs(labels, nameless, labels_[at->second])) return at->second;
    }
    labels_.push_back(internal::group_labels(node_, nameless ? without_name(labels) : labels));
    by_key_.emplace(key, labels_.size() - 1);
    return labels_.size() - 1;
}

std::size_t GroupTable::TextsHash::operator()(const Texts& texts) const {
    std::uint64_t hash = 0;
    for (const std::string* text : texts) hash = tsdb::mix64(hash ^ reinterpret_cast<std::uintptr_t>(text), kSpread);
    return hash;
}

std::size_t GroupTable::find(const ColumnSource& source, std::size_t index) {
    const bool nameless = source.drops_name(index);
    const auto refs = source.label_refs(index);
    texts_.clear();
    // A value belongs to one name alone, so that it stands for the pair.
    auto& names = names_[nameless ? 1 : 0];
    if (!node_.without && node_.grouping.empty() && size() == 1) return 0;
    for (const tsdb::LabelRef& ref : refs) {
        const auto [at, fresh] = names.try_emplace(ref.name);
        if (fresh) at->second = matters(*ref.name, nameless);
        if (at->second) texts_.push_back(ref.value);
    }
    auto& known = by_texts_[nameless ? 1 : 0];
    if (!refs.empty()) {
        if (const auto at = known.find(texts_); at != known.end()) return at->second;
    }
    const tsdb::Labels& labels = source.labels(index);
    const std::size_t group = find(key(labels, nameless), labels, nameless);
    if (!refs.empty()) known.emplace(texts_, group);
    return group;
}

}  // namespace stoker::promql
