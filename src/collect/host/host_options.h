// What of this machine is read, and from where. The defaults are node_exporter's.
#pragma once

#include <string>
#include <vector>

namespace stoker::collect {

struct HostOptions {
    std::string procfs = "/proc";
    std::string sysfs = "/sys";
    std::string rootfs = "/";  // Where the machine's own root is mounted, inside a container.
    std::string instance;      // The label of every sample.
    // Names of collectors (docs/host.md). `include` empty: all.
    std::vector<std::string> include;
    std::vector<std::string> exclude;
    // RE2 patterns, matched anywhere in the text. Empty: nothing is left out.
    std::string exclude_mounts =
        R"(^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/))";
    std::string exclude_filesystems =
        "^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|"
        "overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|sysfs|tracefs)$";
    std::string exclude_disks = R"(^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$)";
    std::string exclude_interfaces;
};

}  // namespace stoker::collect
