// Labels: an immutable set of name=value pairs sorted by name; the metric's name is the label "__name__".
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stoker::tsdb {

inline constexpr std::string_view kMetricName = "__name__";

class Labels {
public:
    using Pair = std::pair<std::string, std::string>;

    Labels() = default;
    // Sorts; of pairs with one name the last wins; pairs with an empty value are left out, as Prometheus does.
    explicit Labels(std::vector<Pair> pairs);
    Labels(std::initializer_list<Pair> pairs) : Labels(std::vector<Pair>(pairs)) {}

    // The value, or "" if there is none.
    std::string_view get(std::string_view name) const;
    bool has(std::string_view name) const;
    std::string_view metric() const { return get(kMetricName); }

    Labels with(std::string_view name, std::string_view value) const;  // Empty value: without it.
    Labels without(const std::vector<std::string>& names) const;       // Also drops nothing else.
    Labels only(const std::vector<std::string>& names) const;

    std::uint64_t hash() const;
    // name{a="b",c="d"} with Prometheus' escaping.
    std::string text() const;

    bool empty() const { return pairs_.empty(); }
    std::size_t size() const { return pairs_.size(); }
    auto begin() const { return pairs_.begin(); }
    auto end() const { return pairs_.end(); }

    friend auto operator<=>(const Labels&, const Labels&) = default;

private:
    std::vector<Pair> pairs_;
};

// One label of a series, as pointers to texts that someone else keeps, most of them shared with other series.
struct LabelRef {
    const std::string* name;
    const std::string* value;
};

}  // namespace stoker::tsdb

template <>
struct std::hash<stoker::tsdb::Labels> {
    std::size_t operator()(const stoker::tsdb::Labels& labels) const { return labels.hash(); }
};
