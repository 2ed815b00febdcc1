// What a store must hold, learnt from what its process acknowledged before it died.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "plan.h"
#include "tsdb/store.h"
#include "tsdb/tombstones.h"

namespace stoker::crash {

class Model {
public:
    // Takes one record, in the order they were written.
    void take(const Record& record);
    // What began and never ended may have happened or not.
    void killed();

    // Compares, adds what is wrong to `violations`, and learns what became of the unsure.
    void check(const tsdb::Store& store, std::vector<std::string>& violations);
    // Every sample there is one that was sent; returns how many of the sure ones are missing.
    std::size_t check_nothing_invented(const tsdb::Store& store, std::vector<std::string>& violations,
                                       bool& said) const;

    void check_nothing_missing(const tsdb::Store& store, std::vector<std::string>& violations) const;

    std::int64_t next_step() const { return highest_step_ + 1; }
    std::size_t sure_samples() const;
    std::uint64_t acknowledged() const { return acknowledged_; }

private:
    enum class State : std::uint8_t { Sure, Unsure };
    using Times = std::map<std::int64_t, State>;

    void apply(const Record& record, State state);
    void report_missing(const std::map<tsdb::Labels, Times>& there, std::vector<std::string>& violations) const;

    std::map<tsdb::Labels, Times> series_;
    std::map<tsdb::Labels, tsdb::TimeIntervals> hidden_;  // A late sample in one of these is hidden, too.
    std::map<std::uint8_t, Record> begun_;                // By thread.
    std::set<std::int64_t> exemplars_;                    // Steps acknowledged.
    std::set<std::int64_t> maybe_exemplars_;
    std::int64_t highest_step_ = -1;
    std::uint64_t acknowledged_ = 0;
};

}  // namespace stoker::crash
