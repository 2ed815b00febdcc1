// Which engine made a response: it alone can show it again, go on from it or delete it.
//
// Bounded: the oldest are forgotten first, and all with the process. Thread-safe.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/sync.h"

namespace stoker::gateway {

class MadeResponses {
public:
    static constexpr std::size_t kMost = 65'536;
    static constexpr std::size_t kLongestId = 256;  // Longer ones are not remembered.

    struct Made {
        std::string replica;
        std::string model;
        std::string tenant;  // Others don't get to know that there is such a response.
    };

    explicit MadeResponses(std::size_t most = kMost) : most_(most) {}

    void note(std::string id, Made made);
    std::optional<Made> find(std::string_view id, std::string_view tenant) const;
    void forget(std::string_view id);

private:
    const std::size_t most_;
    mutable Mutex mutex_;
    std::unordered_map<std::string, Made> by_id_ GUARDED_BY(mutex_);
    std::deque<std::string> order_ GUARDED_BY(mutex_);  // Oldest first; may name some that were forgotten.
};

}  // namespace stoker::gateway
