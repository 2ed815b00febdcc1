// Where a reader of request records stands in the journal, remembered in the state store.
//
// Unlike a consumer of the journal it holds nothing back: what the journal drops before it was read is skipped and
// counted. A reader that was never there before begins with what comes after it was made, not
// with last week. Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "journal/journal.h"
#include "state/state_store.h"

namespace stoker::app {

class JournalPlace {
public:
    // REQUIRES: both outlive it.
    JournalPlace(journal::Journal& journal, state::StateStore& state, const std::string& name);

    // Hands up to `most` request records over, in order, and remembers them as read if `take` had no error. Returns how
    // many there were. After a crash the last ones may come again.
    using Take = std::function<Result<Unit>(std::span<const journal::Record>)>;
    Result<std::size_t> read(std::size_t most, const Take& take);

    // Begins anew the next time, with what comes after this.
    void forget();

    std::uint64_t skipped() const { return skipped_; }  // Records that the journal dropped before they were read.

private:
    Result<Unit> find();
    Result<Unit> remember();

    journal::Journal& journal_;
    state::StateStore& state_;
    const std::string key_;
    std::uint64_t from_;      // Where it begins if nothing is remembered.
    std::uint64_t next_ = 0;  // 0: not known yet.
    std::uint64_t skipped_ = 0;
};

}  // namespace stoker::app
