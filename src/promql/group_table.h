// Finds the group of a series without making the group's labels for each of them.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "promql/ast.h"
#include "promql/column_source.h"
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

    // The same of column `index` of the source.
    std::size_t find(const ColumnSource& source, std::size_t index);

    std::size_t size() const { return labels_.size(); }
    tsdb::Labels& labels(std::size_t group) { return labels_[group]; }

private:
    bool matters(const std::string& name, bool nameless) const;
    bool belongs(const tsdb::Labels& labels, bool nameless, const tsdb::Labels& group) const;

    using Texts = std::vector<const std::string*>;
    struct TextsHash {
        std::size_t operator()(const Texts& texts) const;
    };

    const Aggregate& node_;
    std::vector<tsdb::Labels> labels_;
    std::unordered_multimap<std::uint64_t, std::size_t> by_key_;
    // Equal labels mostly are the same pointers: of those only the first is looked at as text.
    std::unordered_map<const std::string*, bool> names_[2];  // Whether it matters; for nameless ones the second.
    std::unordered_map<Texts, std::size_t, TextsHash> by_texts_[2];
    Texts texts_;
};

}  // namespace stoker::promql
