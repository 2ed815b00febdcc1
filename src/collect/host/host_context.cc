#include "collect/host/host_context.h"

#include "base/check.h"

namespace stoker::collect {

Exclusion::Exclusion(const std::string& pattern) {
    if (pattern.empty()) return;
    pattern_ = std::make_unique<RE2>(pattern, RE2::Quiet);
    STOKER_CHECK(pattern_->ok(), "a pattern was checked before");
}

bool Exclusion::matches(std::string_view text) const {
    return pattern_ && RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *pattern_);
}

HostContext::HostContext(HostOptions from, SampleBatch::Pairs labels)
    : options(std::move(from)),
      mounts(options.exclude_mounts),
      filesystems(options.exclude_filesystems),
      disks(options.exclude_disks),
      interfaces(options.exclude_interfaces),
      page(std::move(labels)) {}

std::string HostContext::root(std::string_view path) const {
    std::string whole = options.rootfs == "/" ? "" : options.rootfs;
    return whole.append(path);
}

}  // namespace stoker::collect
