#include "collect/host/host_parsers.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "base/text.h"

namespace stoker::collect {
namespace {

constexpr double kTicksPerSecond = 100;  // USER_HZ: a constant of the kernel's interface, whatever its own tick is.
constexpr double kSectorBytes = 512;     // Of /proc/diskstats, whatever the disk's own is.

std::vector<std::string_view> words(std::string_view line) {
    std::vector<std::string_view> out;
    std::size_t at = 0;
    while ((at = line.find_first_not_of(" \t\r", at)) != std::string_view::npos) {
        std::size_t end = std::min(line.find_first_of(" \t\r", at), line.size());
        out.push_back(line.substr(at, end - at));
        at = end;
    }
    return out;
}

// The kernel writes decimal numbers; "nan" and its kin are no measurement.
std::optional<double> number(std::string_view text) {
    bool digits = !text.empty() && text.find_first_not_of("0123456789.-") == std::string_view::npos;
    return digits ? parse_number(text) : std::nullopt;
}

template <typename Visit>
void each_line(std::string_view text, Visit visit) {
    for (std::string_view line : split(text, '\n')) {
        if (!line.empty()) visit(words(line));
    }
}

void add_if_number(SampleBatch& out, std::string_view name, SampleBatch::Pairs labels, std::string_view text,
                   double scale = 1) {
    if (auto value = number(text)) out.add(name, std::move(labels), *value * scale);
}

void add_cpu(const std::vector<std::string_view>& fields, SampleBatch& out) {
    constexpr std::array<std::string_view, 8> kModes = {"user",   "nice", "system",  "idle",
                                                        "iowait", "irq",  "softirq", "steal"};
    std::string cpu(fields[0].substr(3));
    for (std::size_t i = 0; i < kModes.size() && i + 1 < fields.size(); ++i) {
        add_if_number(out, "node_cpu_seconds_total", {{"cpu", cpu}, {"mode", std::string(kModes[i])}}, fields[i + 1],
                      1 / kTicksPerSecond);
    }
    constexpr std::array<std::string_view, 2> kGuestModes = {"user", "nice"};
    for (std::size_t i = 0; i < kGuestModes.size() && i + 9 < fields.size(); ++i) {
        add_if_number(out, "node_cpu_guest_seconds_total", {{"cpu", cpu}, {"mode", std::string(kGuestModes[i])}},
                      fields[i + 9], 1 / kTicksPerSecond);
    }
}

bool is_digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// node_exporter's default: ^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$
bool is_ignored_disk(std::string_view device) {
    std::size_t end = device.find_last_not_of("0123456789");
    if (end == std::string_view::npos || end + 1 == device.size()) return false;
    std::string_view stem = device.substr(0, end + 1);
    for (std::string_view name : {"zram", "ram", "loop", "fd"}) {
        if (stem == name) return true;
    }
    for (std::string_view disk : {"hd", "sd", "vd", "xvd"}) {
        if (stem.size() == disk.size() + 1 && stem.starts_with(disk)) return true;
    }
    return stem.starts_with("nvme") && stem.ends_with('p');
}

// Octal escapes of /proc/mounts: "\040" is a space.
std::string unescape_mount(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string_view digits = text.substr(std::min(i + 1, text.size()), 3);
        bool escape = text[i] == '\\' && digits.size() == 3 &&
                      digits.find_first_not_of("01234567") == std::string_view::npos && digits[0] <= '3';
        if (escape) {
            out += static_cast<char>((digits[0] - '0') * 64 + (digits[1] - '0') * 8 + (digits[2] - '0'));
            i += 3;
        } else {
            out += text[i];
        }
    }
    return out;
}

bool is_ignored_fstype(std::string_view type) {
    static const std::set<std::string_view> ignored = {
        "autofs",     "binfmt_misc", "bpf",       "cgroup",   "cgroup2", "configfs",  "debugfs", "devpts",   "devtmpfs",
        "fusectl",    "hugetlbfs",   "iso9660",   "mqueue",   "nsfs",    "overlay",   "proc",    "procfs",   "pstore",
        "rpc_pipefs", "securityfs",  "selinuxfs", "squashfs", "sysfs",   "tracefs",   "erofs",   "efivarfs", "nfs",
        "nfs4",       "cifs",        "smb3",      "ceph",     "9p",      "glusterfs", "lustre",  "beegfs",   "afs"};
    return ignored.contains(type) || type.starts_with("fuse.");
}

bool is_ignored_mountpoint(std::string_view path) {
    for (std::string_view tree :
         {"/dev", "/proc", "/sys", "/run/credentials", "/var/lib/docker", "/var/lib/containers/storage"}) {
        if (path.starts_with(tree) && (path.size() == tree.size() || path[tree.size()] == '/')) return true;
    }
    return false;
}

}  // namespace

void parse_stat(std::string_view text, SampleBatch& out) {
    each_line(text, [&out](const std::vector<std::string_view>& fields) {
        if (fields.size() < 2) return;
        if (fields[0].starts_with("cpu") && is_digits(fields[0].substr(3))) return add_cpu(fields, out);
        static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kLines = {
            {{"btime", "node_boot_time_seconds"},
             {"ctxt", "node_context_switches_total"},
             {"intr", "node_intr_total"},
             {"processes", "node_forks_total"},
             {"procs_running", "node_procs_running"},
             {"procs_blocked", "node_procs_blocked"}}};
        for (const auto& [key, name] : kLines) {
            if (fields[0] == key) add_if_number(out, name, {}, fields[1]);
        }
    });
}

void parse_loadavg(std::string_view text, SampleBatch& out) {
    constexpr std::array<std::string_view, 3> kNames = {"node_load1", "node_load5", "node_load15"};
    auto fields = words(text);
    for (std::size_t i = 0; i < kNames.size() && i < fields.size(); ++i) add_if_number(out, kNames[i], {}, fields[i]);
}

void parse_meminfo(std::string_view text, SampleBatch& out) {
    each_line(text, [&out](const std::vector<std::string_view>& fields) {
        if (fields.size() < 2 || !fields[0].ends_with(':')) return;
        std::string key;
        for (char c : fields[0].substr(0, fields[0].size() - 1)) {
            if (c == ')') continue;  // Active(anon) becomes Active_anon.
            key += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
        }
        bool kilobytes = fields.size() > 2 && fields[2] == "kB";
        add_if_number(out, "node_memory_" + key + (kilobytes ? "_bytes" : ""), {}, fields[1], kilobytes ? 1024 : 1);
    });
}

void parse_diskstats(std::string_view text, SampleBatch& out) {
    struct Column {
        std::string_view name;
        double scale;
    };
    static constexpr std::array<Column, 17> kColumns = {{{"node_disk_reads_completed_total", 1},
                                                         {"node_disk_reads_merged_total", 1},
                                                         {"node_disk_read_bytes_total", kSectorBytes},
                                                         {"node_disk_read_time_seconds_total", 0.001},
                                                         {"node_disk_writes_completed_total", 1},
                                                         {"node_disk_writes_merged_total", 1},
                                                         {"node_disk_written_bytes_total", kSectorBytes},
                                                         {"node_disk_write_time_seconds_total", 0.001},
                                                         {"node_disk_io_now", 1},
                                                         {"node_disk_io_time_seconds_total", 0.001},
                                                         {"node_disk_io_time_weighted_seconds_total", 0.001},
                                                         {"node_disk_discards_completed_total", 1},
                                                         {"node_disk_discards_merged_total", 1},
                                                         {"node_disk_discarded_sectors_total", 1},
                                                         {"node_disk_discard_time_seconds_total", 0.001},
                                                         {"node_disk_flush_requests_total", 1},
                                                         {"node_disk_flush_requests_time_seconds_total", 0.001}}};
    each_line(text, [&out](const std::vector<std::string_view>& fields) {
        if (fields.size() < 4 || is_ignored_disk(fields[2])) return;
        std::string device(fields[2]);
        for (std::size_t i = 0; i < kColumns.size() && i + 3 < fields.size(); ++i) {
            add_if_number(out, kColumns[i].name, {{"device", device}}, fields[i + 3], kColumns[i].scale);
        }
    });
}

void parse_netdev(std::string_view text, SampleBatch& out) {
    static constexpr std::array<std::string_view, 16> kColumns = {
        "receive_bytes",  "receive_packets",  "receive_errs",       "receive_drop",
        "receive_fifo",   "receive_frame",    "receive_compressed", "receive_multicast",
        "transmit_bytes", "transmit_packets", "transmit_errs",      "transmit_drop",
        "transmit_fifo",  "transmit_colls",   "transmit_carrier",   "transmit_compressed"};
    for (std::string_view line : split(text, '\n')) {
        // "eth0:123 ..." without a space is allowed; the headings have no colon. Names may hold colons themselves.
        std::size_t colon = line.rfind(':');
        if (colon == std::string_view::npos) continue;
        std::string device(trim(line.substr(0, colon)));
        auto fields = words(line.substr(colon + 1));
        if (device.empty() || fields.size() < kColumns.size()) continue;
        for (std::size_t i = 0; i < kColumns.size(); ++i) {
            add_if_number(out, "node_network_" + std::string(kColumns[i]) + "_total", {{"device", device}}, fields[i]);
        }
    }
}

void parse_vmstat(std::string_view text, SampleBatch& out) {
    each_line(text, [&out](const std::vector<std::string_view>& fields) {
        if (fields.size() != 2) return;
        std::string_view key = fields[0];
        bool wanted = key.starts_with("oom_kill") || key.starts_with("pgpg") || key.starts_with("pswp") ||
                      (key.starts_with("pg") && key.find("fault") != std::string_view::npos);
        bool is_name = std::all_of(key.begin(), key.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; });
        if (wanted && is_name) add_if_number(out, "node_vmstat_" + std::string(key), {}, fields[1]);
    });
}

void parse_filefd(std::string_view text, SampleBatch& out) {
    auto fields = words(text);
    if (fields.size() < 3) return;
    add_if_number(out, "node_filefd_allocated", {}, fields[0]);
    add_if_number(out, "node_filefd_maximum", {}, trim(fields[2]));
}

void parse_pressure(std::string_view name, std::string_view text, SampleBatch& out) {
    each_line(text, [name, &out](const std::vector<std::string_view>& fields) {
        if (fields.empty() || (fields[0] != "some" && fields[0] != "full")) return;
        // A CPU is never stalled for all tasks; the kernel's "full" line there is for show.
        if (name == "cpu" && fields[0] == "full") return;
        std::string metric = "node_pressure_" + std::string(name) +
                             (fields[0] == "some" ? "_waiting_seconds_total" : "_stalled_seconds_total");
        for (std::string_view field : fields) {
            if (field.starts_with("total=")) add_if_number(out, metric, {}, field.substr(6), 1e-6);
        }
    });
}

std::vector<Mount> parse_mounts(std::string_view text) {
    std::vector<Mount> mounts;
    std::set<std::string> seen;
    each_line(text, [&](const std::vector<std::string_view>& fields) {
        if (fields.size() < 4 || is_ignored_fstype(fields[2])) return;
        std::string path = unescape_mount(fields[1]);
        if (is_ignored_mountpoint(path) || !seen.insert(path).second) return;
        auto options = split(fields[3], ',');
        bool read_only = std::find(options.begin(), options.end(), "ro") != options.end();
        mounts.push_back({unescape_mount(fields[0]), std::move(path), std::string(fields[2]), read_only});
    });
    return mounts;
}

}  // namespace stoker::collect
