// The inverted index: label name -> value -> ids of the series that have it, ascending.
//
// It also owns the label texts: a series keeps pointers to the one copy of each name and value, which stays where it is
// as long as a series uses it. Thread-safe; reading does not block reading.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tsdb/labels.h"
#include "tsdb/matcher.h"
#include "tsdb/shared_mutex.h"

namespace stoker::tsdb {

using SeriesId = std::uint64_t;
using Postings = std::vector<SeriesId>;

Labels to_labels(std::span<const LabelRef> refs);
bool same_labels(std::span<const LabelRef> refs, const Labels& labels);

class Index {
public:
    // Adds a series. REQUIRES: the id is not in the index.
    std::vector<LabelRef> add(const Labels& labels, SeriesId id);
    // Removes one; refs that only it used are dead from then on. REQUIRES: refs are what add() gave for this id.
    void remove(std::span<const LabelRef> refs, SeriesId id);

    // Between the two, add() takes ids in any order without moving those that are there; select() waits for the end.
    void begin_load();
    void end_load();

    // Ids of the series that all matchers want, ascending.
    Postings select(const std::vector<CompiledMatcher>& matchers) const;

    // Whoever holds this may go on using the texts of all series that are in the index now or later, removed or not.
    std::shared_ptr<const void> pin() const;

    // A number that changes when series come or go: as long as it stays the same, select() gives the same.
    std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

    // Sorted.
    std::vector<std::string> names() const;
    std::vector<std::string> values(std::string_view name) const;

    std::size_t series() const;
    std::size_t pairs() const;  // Different names with different values.
    // Each name and value with how many series have it, pairs of one name after each other. `visit` must not come back.
    void each_pair(
        const std::function<void(const std::string& name, const std::string& value, std::size_t series)>& visit) const;

private:
    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };
    using Values = std::unordered_map<std::string, Postings, TextHash, std::equal_to<>>;
    using Names = std::map<std::string, Values, std::less<>>;

    // Texts that left the index while someone held a pin. A pin keeps the graves of its time and of all times after it.
    struct Graves {
        std::vector<Values::node_type> values;
        std::vector<Names::node_type> names;
        std::shared_ptr<Graves> later;
        ~Graves();
    };

    const Values* values_of(std::string_view name) const REQUIRES_SHARED_LOCK(mutex_);
    Postings with_label(const CompiledMatcher& matcher, bool wanted) const REQUIRES_SHARED_LOCK(mutex_);

    struct Entry {
        LabelRef ref;
        Postings* postings;
    };
    Entry entry(const std::string& name, const std::string& value) REQUIRES_LOCK(mutex_);
    void insert(Postings& postings, SeriesId id) REQUIRES_LOCK(mutex_);
    void sort_all() REQUIRES_LOCK(mutex_);
    void bury(Names::iterator name, Values::iterator value) REQUIRES_LOCK(mutex_);

    mutable SharedMutex mutex_;
    bool loading_ GUARDED_BY(mutex_) = false;
    std::vector<Entry> last_ GUARDED_BY(mutex_);  // Of the series before, while loading.
    std::atomic<std::uint64_t> generation_{0};
    std::shared_ptr<Graves> graves_ GUARDED_BY(mutex_) = std::make_shared<Graves>();
    Names names_ GUARDED_BY(mutex_);
    Postings all_ GUARDED_BY(mutex_);
};

}  // namespace stoker::tsdb
