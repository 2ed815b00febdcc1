// Finds the group of a series without making the group's labels for each of them.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "promql/ast.h"
#include "tsdb/labels.h"

namespace stoker::promql {

class GroupTable {
public:
    // REQUIRES: the node outlives this.
    explicit GroupTable(const Aggregate& node) : node_(node) {}

    // A hash of the labels that matter. `nameless`: the series has lost its name.
    std::uint64_t key(const tsdb::Labels& labels, bool nameless) const;

    // The number of the group; the next one if it is new.
    std::size_t find(std::uint64_t key, const tsdb::Labels& labels, bool nameless);

    std::size_t size() const { return labels_.size(); }
    tsdb::Labels& labels(std::size_t group) { return labels_[group]; }

private:
    bool matters(const std::string& name, bool nameless) const;
    bool belongs(const tsdb::Labels& labels, bool nameless, const tsdb::Labels& group) const;

    const Aggregate& node_;
    std::vector<tsdb::Labels> labels_;
    std::unordered_multimap<std::uint64_t, std::size_t> by_key_;
};

}  // namespace stoker::promql
