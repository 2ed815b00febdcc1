#include "base/log_limit.h"

#include <utility>

namespace stoker::log {

std::optional<std::uint64_t> LineLimit::admit(std::string_view message, SteadyTime now) {
    auto found = windows_.find(message);
    if (found == windows_.end()) {
        if (windows_.size() >= kMessages) {
            std::erase_if(windows_, [&](const auto& each) { return now - each.second.start >= kWindow; });
            if (windows_.size() >= kMessages) return 0;
        }
        found = windows_.emplace(message, Window{now}).first;
    }
    Window& window = found->second;
    if (now - window.start >= kWindow) {
        window.start = now;
        window.written = 0;
    }
    if (window.written >= kMost) {
        ++window.left_out;
        return std::nullopt;
    }
    ++window.written;
    return std::exchange(window.left_out, 0);
}

}  // namespace stoker::log
