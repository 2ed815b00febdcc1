#include "tsdb/index.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"

namespace stoker::tsdb {

namespace {

void sort_if_needed(Postings& postings) {
    if (!std::is_sorted(postings.begin(), postings.end())) {
        std::sort(postings.begin(), postings.end());
    }
}

void erase_sorted(Postings& postings, SeriesId id) {
    const auto at = std::lower_bound(postings.begin(), postings.end(), id);
    STOKER_CHECK(at != postings.end() && *at == id, "a series must be in the lists of its labels");
    postings.erase(at);
}

// Lists that differ much in length: look each id of the short one up in what is left of the long one.
Postings intersect(const Postings& a, const Postings& b) {
    const Postings& small = a.size() < b.size() ? a : b;
    const Postings& large = a.size() < b.size() ? b : a;
    Postings result;
    if (large.size() / 16 < small.size()) {
        std::set_intersection(small.begin(), small.end(), large.begin(), large.end(), std::back_inserter(result));
        return result;
    }
    auto from = large.begin();
    for (const SeriesId id : small) {
        from = std::lower_bound(from, large.end(), id);
        if (from != large.end() && *from == id) {
            result.push_back(id);
        }
    }
    return result;
}

Postings subtract(const Postings& from, const Postings& what) {
    Postings result;
    std::set_difference(from.begin(), from.end(), what.begin(), what.end(), std::back_inserter(result));
    return result;
}

// A series has one value of a label, so the lists are disjoint: collecting and sorting is a union.
Postings unite(const std::vector<const Postings*>& lists) {
    Postings result;
    std::size_t size = 0;
    for (const Postings* list : lists) {
        size += list->size();
    }
    result.reserve(size);
    for (const Postings* list : lists) {
        result.insert(result.end(), list->begin(), list->end());
    }
    if (lists.size() > 1) {
        std::sort(result.begin(), result.end());
    }
    return result;
}

}  // namespace

Labels to_labels(std::span<const LabelRef> refs) {
    std::vector<Labels::Pair> pairs;
    pairs.reserve(refs.size());
    for (const LabelRef& ref : refs) {
        pairs.emplace_back(*ref.name, *ref.value);
    }
    return Labels(std::move(pairs));
}

bool same_labels(std::span<const LabelRef> refs, const Labels& labels) {
    return std::equal(
        refs.begin(), refs.end(), labels.begin(), labels.end(),
        [](const LabelRef& ref, const auto& pair) { return *ref.value == pair.second && *ref.name == pair.first; });
}

std::vector<LabelRef> Index::add(const Labels& labels, SeriesId id) {
    std::vector<LabelRef> refs;
    refs.reserve(labels.size());
    WriteLock lock(mutex_);
    last_.resize(loading_ ? labels.size() : 0, {{nullptr, nullptr}, nullptr});
    std::size_t place = 0;
    for (const auto& [name, value] : labels) {
        Entry found{{nullptr, nullptr}, nullptr};
        if (!loading_) {
            found = entry(name, value);
        } else {
            // One series after the other of the same target: most of their labels are the same.
            Entry& before = last_[place++];
            if (before.postings == nullptr || *before.ref.value != value || *before.ref.name != name) {
                before = entry(name, value);
            }
            found = before;
        }
        insert(*found.postings, id);
        refs.push_back(found.ref);
    }
    insert(all_, id);
    generation_.fetch_add(1, std::memory_order_release);
    return refs;
}

Index::Entry Index::entry(const std::string& name, const std::string& value) {
    const auto by_name = names_.try_emplace(name).first;
    const auto by_value = by_name->second.try_emplace(value).first;
    return {{&by_name->first, &by_value->first}, &by_value->second};
}

void Index::insert(Postings& postings, SeriesId id) {
    // Ids grow almost in step over all shards, so the place is at the end or close to it.
    if (loading_ || postings.empty() || postings.back() < id) {
        postings.push_back(id);
    } else {
        postings.insert(std::lower_bound(postings.begin(), postings.end(), id), id);
    }
}

void Index::begin_load() {
    WriteLock lock(mutex_);
    loading_ = true;
}

void Index::end_load() {
    WriteLock lock(mutex_);
    sort_all();
    last_ = {};
    loading_ = false;
}

void Index::sort_all() {
    for (auto& [name, values] : names_) {
        for (auto& [value, postings] : values) {
            sort_if_needed(postings);
        }
    }
    sort_if_needed(all_);
}

void Index::remove(std::span<const LabelRef> refs, SeriesId id) {
    WriteLock lock(mutex_);
    if (loading_) {
        sort_all();
        last_.clear();
    }
    for (const LabelRef& ref : refs) {
        const auto by_name = names_.find(*ref.name);
        const auto by_value = by_name->second.find(*ref.value);
        erase_sorted(by_value->second, id);
        if (by_value->second.empty()) {
            bury(by_name, by_value);
        }
    }
    erase_sorted(all_, id);
    generation_.fetch_add(1, std::memory_order_release);
}

// Takes out a value that no series has, and its name with the last one.
void Index::bury(Names::iterator name, Values::iterator value) {
    constexpr std::size_t kMost = 1024;  // In one grave; the next is for pins still to come.
    // Nobody can take a pin meanwhile: that takes the lock.
    if (graves_.use_count() == 1) {
        graves_->values.clear();
        graves_->names.clear();
    } else if (graves_->values.size() >= kMost) {
        graves_->later = std::make_shared<Graves>();
        graves_ = graves_->later;
    }
    graves_->values.push_back(name->second.extract(value));
    if (name->second.empty()) {
        graves_->names.push_back(names_.extract(name));
    }
}

// One after the other: a long chain must not be a deep recursion.
Index::Graves::~Graves() {
    std::shared_ptr<Graves> next = std::move(later);
    while (next != nullptr && next.use_count() == 1) {
        next = std::exchange(next->later, nullptr);
    }
}

std::shared_ptr<const void> Index::pin() const {
    ReadLock lock(mutex_);
    return graves_;
}

const Index::Values* Index::values_of(std::string_view name) const {
    const auto found = names_.find(name);
    return found == names_.end() ? nullptr : &found->second;
}

// The series that have the label, with a value for which accepts() says `wanted`.
Postings Index::with_label(const CompiledMatcher& matcher, bool wanted) const {
    const Values* values = values_of(matcher.name());
    std::vector<const Postings*> lists;
    if (values == nullptr) {
        return {};
    }
    if (matcher.is_literal() && wanted) {
        for (const std::string& literal : matcher.literals()) {
            if (const auto found = values->find(literal); found != values->end()) {
                lists.push_back(&found->second);
            }
        }
        return unite(lists);
    }
    const bool every = matcher.is_anything() || matcher.is_nonempty();  // No stored value is empty.
    for (const auto& [value, postings] : *values) {
        if ((every || matcher.accepts(value)) == wanted) {
            lists.push_back(&postings);
        }
    }
    return unite(lists);
}

Postings Index::select(const std::vector<CompiledMatcher>& matchers) const {
    ReadLock lock(mutex_);
    std::vector<Postings> required;
    std::vector<Postings> excluded;
    for (const CompiledMatcher& matcher : matchers) {
        // A matcher that the empty text passes also wants the series without the label: take away those it doesn't
        // want.
        if (matcher.matches("")) {
            excluded.push_back(with_label(matcher, matcher.negated()));
        } else {
            required.push_back(with_label(matcher, !matcher.negated()));
            if (required.back().empty()) {
                return {};
            }
        }
    }
    std::sort(required.begin(), required.end(),
              [](const Postings& a, const Postings& b) { return a.size() < b.size(); });
    Postings result;
    if (required.empty()) {
        result = all_;
    } else {
        result = std::move(required.front());
    }
    for (std::size_t i = 1; i < required.size() && !result.empty(); ++i) {
        result = intersect(result, required[i]);
    }
    for (const Postings& out : excluded) {
        result = subtract(result, out);
    }
    return result;
}

std::vector<std::string> Index::names() const {
    std::vector<std::string> result;
    ReadLock lock(mutex_);
    result.reserve(names_.size());
    for (const auto& [name, values] : names_) {
        result.push_back(name);
    }
    return result;
}

std::vector<std::string> Index::values(std::string_view name) const {
    std::vector<std::string> result;
    {
        ReadLock lock(mutex_);
        if (const Values* values = values_of(name)) {
            result.reserve(values->size());
            for (const auto& [value, postings] : *values) {
                result.push_back(value);
            }
        }
    }
    std::sort(result.begin(), result.end());
    return result;
}

std::size_t Index::pairs() const {
    ReadLock lock(mutex_);
    std::size_t pairs = 0;
    for (const auto& [name, values] : names_) {
        pairs += values.size();
    }
    return pairs;
}

void Index::each_pair(const std::function<void(const std::string&, const std::string&, std::size_t)>& visit) const {
    ReadLock lock(mutex_);
    for (const auto& [name, values] : names_) {
        for (const auto& [value, postings] : values) {
            visit(name, value, postings.size());
        }
    }
}

std::size_t Index::series() const {
    ReadLock lock(mutex_);
    return all_.size();
}

}  // namespace stoker::tsdb
