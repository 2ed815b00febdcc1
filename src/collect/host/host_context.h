// What a collector of this machine works with during a round: where to read, what to leave out, where to write.
#pragma once

#include <re2/re2.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "collect/host/host_options.h"
#include "collect/host/kernel_text.h"
#include "collect/sample_page.h"

namespace stoker::collect {

// A pattern that names are left out by.
class Exclusion {
public:
    // REQUIRES: `pattern` is empty or RE2 compiles it.
    explicit Exclusion(const std::string& pattern);
    bool matches(std::string_view text) const;

private:
    std::unique_ptr<RE2> pattern_;  // Null: matches nothing.
};

struct HostContext {
    HostContext(HostOptions from, SampleBatch::Pairs labels);

    std::string proc(std::string_view path) const { return options.procfs + "/" + std::string(path); }
    std::string sys(std::string_view path) const { return options.sysfs + "/" + std::string(path); }
    // A path of the machine as this process sees it.
    std::string root(std::string_view path) const;

    const HostOptions options;
    const Exclusion mounts;
    const Exclusion filesystems;
    const Exclusion disks;
    const Exclusion interfaces;
    KernelFiles files;
    SamplePage page;
    Timestamp now{};  // Of the round.
    // /proc/stat, which two collectors read and which is not cheap on large machines. Emptied each round.
    std::string stat_text;
};

// Reads once. NotFound: this machine has no such thing, which is no failure of the round.
using CollectFn = Result<Unit> (*)(HostContext& host);

// For `constexpr` tables: a file's name beside the metric that is made of it.
struct FileMetric {
    std::string_view file;
    MetricFamily family;
    double scale = 1;
};

}  // namespace stoker::collect
