// Which replicas an operator has drained, by id, and why: kept over restarts, and over configurations in which such a
// replica is missing for a while.
//
// Not thread-safe; Gateway guards it with its mutex.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace stoker::gateway {

class Drains {
public:
    using Save = std::function<void(const std::string& json)>;

    // Takes what an earlier process kept (empty or broken: nothing was), and where to keep it from now on.
    void restore(std::string_view kept, Save save);

    void add(const std::string& replica, const std::string& reason);
    void remove(const std::string& replica);
    // Null if it is not drained.
    const std::string* reason(const std::string& replica) const;

private:
    void save() const;

    std::map<std::string, std::string> reasons_;  // By replica id.
    Save save_;
};

}  // namespace stoker::gateway
