// collect.node: how this machine is measured.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "app/config.h"
#include "app/config_checks.h"
#include "app/config_convert.h"
#include "base/text.h"
#include "collect/host/collector_source.h"

namespace stoker::app {
namespace {

void check_folder(config::Fields& f, std::string_view key, const std::string& path) {
    f.check(key, path.starts_with('/'), "must be a path from the root: it begins with '/'");
}

void check_pattern(config::Fields& f, std::string_view key, const std::string& pattern) {
    if (pattern.empty()) return;
    const RE2 compiled(pattern, RE2::Quiet);
    f.check(key, compiled.ok(), "is no RE2 pattern: " + compiled.error());
}

void check_collectors(config::Fields& f, std::string_view key, const std::vector<std::string>& chosen) {
    const auto names = collect::host_collector_names();
    for (std::size_t i = 0; i < chosen.size(); ++i) {
        const bool known = std::find(names.begin(), names.end(), chosen[i]) != names.end();
        f.check(fmt::format("{}[{}]", key, i), known, "is no collector; there are " + join(names, ", "));
    }
}

}  // namespace

void describe(config::Fields& f, NodeConfig& c) {
    collect::HostOptions& host = c.host;
    f.field("interval", c.interval, "Time between two measurements; 0 is `scrape_interval`.");
    f.check("interval", c.interval >= Duration{0}, "must not be below 0");
    f.field("instance", host.instance, "Label `instance` of what is measured; empty is the machine's name.");
    f.field("procfs", host.procfs, "Where /proc is mounted.");
    check_folder(f, "procfs", host.procfs);
    f.field("sysfs", host.sysfs, "Where /sys is mounted.");
    check_folder(f, "sysfs", host.sysfs);
    f.field("rootfs", host.rootfs, "Where the machine's root is mounted, if Stoker runs in a container.");
    check_folder(f, "rootfs", host.rootfs);
    f.field("include", host.include, "Collectors that run, by name; empty: all.");
    check_collectors(f, "include", host.include);
    f.field("exclude", host.exclude, "Collectors that do not run, of those.");
    check_collectors(f, "exclude", host.exclude);
    f.field("exclude_mounts", host.exclude_mounts,
            "Mount points that are left out: a pattern (RE2), matched anywhere in the path. The defaults of these four "
            "are node_exporter's.");
    check_pattern(f, "exclude_mounts", host.exclude_mounts);
    f.field("exclude_filesystems", host.exclude_filesystems, "The same for types of file systems,");
    check_pattern(f, "exclude_filesystems", host.exclude_filesystems);
    f.field("exclude_disks", host.exclude_disks, "for disks,");
    check_pattern(f, "exclude_disks", host.exclude_disks);
    f.field("exclude_interfaces", host.exclude_interfaces, "and for network interfaces.");
    check_pattern(f, "exclude_interfaces", host.exclude_interfaces);
}

collect::HostOptions host_options(const Config& config) {
    return config.collect.node.host;
}

collect::SourceSchedule host_schedule(const Config& config) {
    const Duration own = config.collect.node.interval;
    const Duration interval = own > Duration{0} ? own : config.collect.scrape_interval;
    // A round of a busy machine may take longer than a short interval; that is skipped rounds, and no hang yet.
    constexpr Duration kHangs{5'000};
    return {.interval = interval, .deadline = std::max(interval, kHangs)};
}

}  // namespace stoker::app
