#include "tsdb/labels.h"

#include <algorithm>

#include "tsdb/hash.h"

namespace stoker::tsdb {

namespace {

bool contains(const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

void append_escaped(std::string& out, std::string_view value) {
    for (const char c : value) {
        switch (c) {
            case '\\':
                out += "\\\\";
                break;
            case '"':
                out += "\\\"";
                break;
            case '\n':
                out += "\\n";
                break;
            default:
                out += c;
        }
    }
}

}  // namespace

Labels::Labels(std::vector<Pair> pairs) : pairs_(std::move(pairs)) {
    const auto by_name = [](const Pair& a, const Pair& b) { return a.first < b.first; };
    if (!std::is_sorted(pairs_.begin(), pairs_.end(), by_name)) {
        std::stable_sort(pairs_.begin(), pairs_.end(), by_name);
    }
    // Of equal names keep the last; then drop what is empty.
    std::size_t kept = 0;
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
        const bool superseded = i + 1 < pairs_.size() && pairs_[i + 1].first == pairs_[i].first;
        if (superseded || pairs_[i].second.empty()) {
            continue;
        }
        if (kept != i) {
            pairs_[kept] = std::move(pairs_[i]);
        }
        ++kept;
    }
    pairs_.resize(kept);
}

std::string_view Labels::get(std::string_view name) const {
    // A handful of labels: a scan that stops early beats a binary search over strings.
    for (const auto& [key, value] : pairs_) {
        if (key == name) {
            return value;
        }
    }
    return {};
}

bool Labels::has(std::string_view name) const {
    return !get(name).empty();
}

Labels Labels::with(std::string_view name, std::string_view value) const {
    std::vector<Pair> pairs;
    pairs.reserve(pairs_.size() + 1);
    pairs = pairs_;
    pairs.emplace_back(name, value);
    return Labels(std::move(pairs));
}

Labels Labels::without(const std::vector<std::string>& names) const {
    Labels result;
    for (const auto& pair : pairs_) {
        if (!contains(names, pair.first)) {
            result.pairs_.push_back(pair);
        }
    }
    return result;
}

Labels Labels::only(const std::vector<std::string>& names) const {
    Labels result;
    for (const auto& pair : pairs_) {
        if (contains(names, pair.first)) {
            result.pairs_.push_back(pair);
        }
    }
    return result;
}

std::uint64_t Labels::hash() const {
    std::uint64_t hash = 0;
    for (const auto& [name, value] : pairs_) {
        hash = hash_text(value, hash_text(name, hash));
    }
    return hash;
}

std::string Labels::text() const {
    std::string out(metric());
    bool first = true;
    for (const auto& [name, value] : pairs_) {
        if (name == kMetricName) {
            continue;
        }
        out += first ? "{" : ",";
        first = false;
        out += name;
        out += "=\"";
        append_escaped(out, value);
        out += '"';
    }
    if (!first) {
        out += '}';
    } else if (out.empty()) {
        out = "{}";
    }
    return out;
}

}  // namespace stoker::tsdb
