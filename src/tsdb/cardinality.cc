// Where the series are, by metric, label and pair.
#include <algorithm>
#include <unordered_map>

#include "tsdb/matcher.h"
#include "tsdb/store_impl.h"

namespace stoker::tsdb {

namespace {

// The largest of what it is given, without keeping the rest.
class Top {
public:
    explicit Top(std::size_t most) : most_(most) {}

    void add(const std::string& name, std::uint64_t count) {
        if (most_ == 0 || (heap_.size() == most_ && count <= heap_.front().count)) {
            return;
        }
        heap_.push_back({name, count});
        std::push_heap(heap_.begin(), heap_.end(), larger);
        if (heap_.size() > most_) {
            std::pop_heap(heap_.begin(), heap_.end(), larger);
            heap_.pop_back();
        }
    }
    // Longest first; of equal ones by name.
    std::vector<Counted> take() {
        std::sort(heap_.begin(), heap_.end(), [](const Counted& a, const Counted& b) {
            return a.count != b.count ? a.count > b.count : a.name < b.name;
        });
        return std::move(heap_);
    }

private:
    static bool larger(const Counted& a, const Counted& b) { return a.count > b.count; }

    const std::size_t most_;
    std::vector<Counted> heap_;
};

// The four lists, fed pair by pair, pairs of one label after each other.
class Lists {
public:
    explicit Lists(std::size_t most) : metrics_(most), values_(most), bytes_(most), pairs_(most) {}

    void add(const std::string& name, const std::string& value, std::uint64_t series) {
        if (name != label_) {
            finish_label();
            label_ = name;
        }
        ++label_values_;
        label_bytes_ += value.size();
        pairs_.add(name + "=" + value, series);
        if (name == kMetricName) {
            metrics_.add(value, series);
        }
    }
    Cardinality take() {
        finish_label();
        return {metrics_.take(), values_.take(), bytes_.take(), pairs_.take()};
    }

private:
    void finish_label() {
        if (label_values_ > 0) {
            values_.add(label_, label_values_);
            bytes_.add(label_, label_bytes_);
        }
        label_values_ = 0;
        label_bytes_ = 0;
    }

    Top metrics_;
    Top values_;
    Top bytes_;
    Top pairs_;
    std::string label_;
    std::uint64_t label_values_ = 0;
    std::uint64_t label_bytes_ = 0;
};

}  // namespace

Cardinality StoreImpl::cardinality(const std::vector<Matcher>& matchers, std::size_t most) const {
    Lists lists(most);
    if (matchers.empty()) {
        index_.each_pair([&](const std::string& name, const std::string& value, std::size_t series) {
            lists.add(name, value, series);
        });
        return lists.take();
    }
    std::map<std::string, std::unordered_map<std::string, std::uint64_t>> counts;
    const auto done = each_matching(matchers, [&](const MemSeries& series) {
        for (const LabelRef& ref : series.labels()) {
            ++counts[*ref.name][*ref.value];
        }
    });
    if (!done) {
        return {};  // A bad regular expression matches nothing.
    }
    for (const auto& [name, values] : counts) {
        for (const auto& [value, series] : values) {
            lists.add(name, value, series);
        }
    }
    return lists.take();
}

}  // namespace stoker::tsdb
