#include "tsdb/label_order.h"

#include <algorithm>
#include <numeric>

#include "tsdb/hash.h"

namespace stoker::tsdb {

namespace {

std::size_t place_of(const std::string* text, std::size_t size) {
    return mix64(reinterpret_cast<std::uintptr_t>(text), 0x9e3779b97f4a7c15ULL) & (size - 1);
}

int compare(const LabelRef& a, const LabelRef& b) {
    const int names = a.name == b.name ? 0 : a.name->compare(*b.name);
    return names != 0 ? names : a.value->compare(*b.value);
}

}  // namespace

void LabelOrder::add(std::span<const LabelRef> refs) {
    for (const LabelRef& ref : refs) {
        numbers_.push_back(number_of(ref));
    }
    ends_.push_back(static_cast<std::uint32_t>(numbers_.size()));
}

std::uint32_t LabelOrder::number_of(const LabelRef& label) {
    if (labels_.size() * 2 >= table_.size()) {
        grow();
    }
    std::size_t place = place_of(label.value, table_.size());
    for (; table_[place].text != nullptr; place = (place + 1) & (table_.size() - 1)) {
        if (table_[place].text == label.value) {
            return table_[place].number;
        }
    }
    table_[place] = {label.value, static_cast<std::uint32_t>(labels_.size())};
    labels_.push_back(label);
    return table_[place].number;
}

void LabelOrder::grow() {
    std::vector<Slot> before(std::max<std::size_t>(64, table_.size() * 2));
    before.swap(table_);
    for (const Slot& slot : before) {
        if (slot.text != nullptr) {
            std::size_t place = place_of(slot.text, table_.size());
            while (table_[place].text != nullptr) {
                place = (place + 1) & (table_.size() - 1);
            }
            table_[place] = slot;
        }
    }
}

std::vector<std::uint32_t> LabelOrder::sorted() const {
    std::vector<std::uint32_t> by_label(labels_.size());
    std::iota(by_label.begin(), by_label.end(), 0U);
    std::sort(by_label.begin(), by_label.end(),
              [&](std::uint32_t a, std::uint32_t b) { return compare(labels_[a], labels_[b]) < 0; });
    // A text that left the index meanwhile and came back has two numbers, and one rank.
    std::vector<std::uint32_t> rank(labels_.size());
    for (std::size_t i = 1; i < by_label.size(); ++i) {
        rank[by_label[i]] =
            rank[by_label[i - 1]] + (compare(labels_[by_label[i]], labels_[by_label[i - 1]]) == 0 ? 0 : 1);
    }
    std::vector<std::uint32_t> ranks(numbers_.size());
    std::transform(numbers_.begin(), numbers_.end(), ranks.begin(), [&](std::uint32_t number) { return rank[number]; });
    const auto begin_of = [&](std::uint32_t set) { return ranks.begin() + (set == 0 ? 0 : ends_[set - 1]); };
    std::vector<std::uint32_t> sets(ends_.size());
    std::iota(sets.begin(), sets.end(), 0U);
    std::sort(sets.begin(), sets.end(), [&](std::uint32_t a, std::uint32_t b) {
        return std::lexicographical_compare(begin_of(a), ranks.begin() + ends_[a], begin_of(b),
                                            ranks.begin() + ends_[b]);
    });
    return sets;
}

}  // namespace stoker::tsdb
