// statvfs(3) of many mount points, none of which may hold up the others: one whose server is gone blocks for ever.
//
// A round's paths are asked one after the other on a helper thread. When a path takes longer than the limit, its thread
// is left to wait and another goes on behind it; that path is not asked again until the kernel lets go of it. The
// threads left waiting are bounded. Not thread-safe.
#pragma once

#include <sys/statvfs.h>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

namespace stoker::collect {

class MountProber {
public:
    // As statvfs(3): 0 if `info` is filled. Called on several threads.
    using Ask = std::function<int(const char* path, struct statvfs* info)>;

    explicit MountProber(Ask ask = &::statvfs, Duration limit = Duration{1'000})
        : ask_(std::move(ask)), limit_(limit) {}

    // An answer for each path; nothing where it failed or hangs. REQUIRES: no path twice.
    std::vector<std::optional<struct statvfs>> probe(const std::vector<std::string>& paths);

    // Paths that are not asked because they hang.
    std::size_t stuck() const { return stuck_.size(); }

    static constexpr std::size_t kMostStuck = 32;

private:
    struct Round;

    const Ask ask_;
    const Duration limit_;
    std::map<std::string, std::shared_ptr<Round>> stuck_;
};

}  // namespace stoker::collect
