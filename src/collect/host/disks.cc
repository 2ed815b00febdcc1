// node_exporter's collector "diskstats".
#include <array>

#include "collect/host/collectors.h"
#include "collect/host/host_parsers.h"

namespace stoker::collect {
namespace {

using enum MetricType;

constexpr double kSectorBytes = 512;  // Of /proc/diskstats, whatever the disk's own is.
constexpr double kMillis = 0.001;

struct Column {
    MetricFamily family;
    double scale = 1;
};

constexpr std::array<Column, 17> kColumns = {
    {{{"node_disk_reads_completed_total", Counter, "Reads completed."}},
     {{"node_disk_reads_merged_total", Counter, "Reads merged."}},
     {{"node_disk_read_bytes_total", Counter, "Bytes read."}, kSectorBytes},
     {{"node_disk_read_time_seconds_total", Counter, "Seconds spent by all reads."}, kMillis},
     {{"node_disk_writes_completed_total", Counter, "Writes completed."}},
     {{"node_disk_writes_merged_total", Counter, "Writes merged."}},
     {{"node_disk_written_bytes_total", Counter, "Bytes written."}, kSectorBytes},
     {{"node_disk_write_time_seconds_total", Counter, "Seconds spent by all writes."}, kMillis},
     {{"node_disk_io_now", Gauge, "I/Os under way."}},
     {{"node_disk_io_time_seconds_total", Counter, "Seconds with I/O under way."}, kMillis},
     {{"node_disk_io_time_weighted_seconds_total", Counter, "Seconds spent by all I/Os."}, kMillis},
     {{"node_disk_discards_completed_total", Counter, "Discards completed."}},
     {{"node_disk_discards_merged_total", Counter, "Discards merged."}},
     {{"node_disk_discarded_sectors_total", Counter, "Sectors discarded."}},
     {{"node_disk_discard_time_seconds_total", Counter, "Seconds spent by all discards."}, kMillis},
     {{"node_disk_flush_requests_total", Counter, "Flush requests completed."}},
     {{"node_disk_flush_requests_time_seconds_total", Counter, "Seconds spent by all flush requests."}, kMillis}}};
constexpr MetricFamily kInfo{"node_disk_info", Gauge, "What udev knows of a disk; the value is 1."};

// What udev keeps of the block device, if it runs.
void add_info(HostContext& host, std::string_view device, std::string_view major, std::string_view minor) {
    std::string path = "/run/udev/data/b";
    path.append(major).append(":").append(minor);
    std::string text;
    if (const auto read = host.files.read(host.root(path))) text = *read;
    const auto property = [&text](std::string_view name) {
        std::string_view found;
        each_line(text, [&](std::string_view line) {
            const bool here = line.starts_with("E:") && line.substr(2).starts_with(name) &&
                              line.size() > name.size() + 2 && line[name.size() + 2] == '=';
            if (here) found = line.substr(name.size() + 3);
        });
        return found;
    };
    host.page.add(kInfo,
                  {{"device", device},
                   {"major", major},
                   {"minor", minor},
                   {"path", property("ID_PATH")},
                   {"wwn", property("ID_WWN")},
                   {"model", property("ID_MODEL")},
                   {"serial", property("ID_SERIAL_SHORT")},
                   {"revision", property("ID_REVISION")}},
                  1);
}

}  // namespace

std::vector<DiskId> parse_diskstats(std::string_view text, const Exclusion& excluded, SamplePage& out) {
    std::vector<DiskId> disks;
    each_line(text, [&](std::string_view line) {
        const auto fields = words(line);
        if (fields.size() < 4 || excluded.matches(fields[2])) return;
        for (std::size_t i = 0; i < kColumns.size() && i + 3 < fields.size(); ++i) {
            const auto value = kernel_number(fields[i + 3]);
            if (value) out.add(kColumns[i].family, {{"device", fields[2]}}, *value * kColumns[i].scale);
        }
        disks.push_back({fields[0], fields[1], fields[2]});
    });
    return disks;
}

Result<Unit> collect_diskstats(HostContext& host) {
    TRY(const auto read, host.files.read(host.proc("diskstats")));
    const std::string text(read);  // Other files are read while it is looked at.
    for (const auto& [major, minor, device] : parse_diskstats(text, host.disks, host.page)) {
        add_info(host, device, major, minor);
    }
    return Unit{};
}

}  // namespace stoker::collect
