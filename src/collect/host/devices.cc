// node_exporter's collectors "nvme", "edac", "infiniband".
#include <array>

#include "collect/host/collectors.h"

namespace stoker::collect {
namespace {

using enum MetricType;

constexpr MetricFamily kNvme{"node_nvme_info", Gauge, "What an NVMe drive says of itself; the value is 1."};
constexpr MetricFamily kCorrectable{"node_edac_correctable_errors_total", Counter, "Memory errors corrected."};
constexpr MetricFamily kUncorrectable{"node_edac_uncorrectable_errors_total", Counter,
                                      "Memory errors that could not be corrected."};
constexpr MetricFamily kRowCorrectable{"node_edac_csrow_correctable_errors_total", Counter,
                                       "Memory errors corrected, by row."};
constexpr MetricFamily kRowUncorrectable{"node_edac_csrow_uncorrectable_errors_total", Counter,
                                         "Memory errors that could not be corrected, by row."};

void add_edac_row(HostContext& host, std::string_view controller, std::string_view row, const std::string& correctable,
                  const std::string& uncorrectable) {
    const auto ce = host.files.read_number(correctable);
    const auto ue = host.files.read_number(uncorrectable);
    if (ce) host.page.add(kRowCorrectable, {{"controller", controller}, {"csrow", row}}, *ce);
    if (ue) host.page.add(kRowUncorrectable, {{"controller", controller}, {"csrow", row}}, *ue);
}

constexpr double kWords = 4;  // Data counters of InfiniBand count 32-bit words.
constexpr std::string_view kIbHelp = "A counter of an InfiniBand port, from /sys/class/infiniband.";
constexpr std::array<FileMetric, 22> kIbCounters = {
    {{"excessive_buffer_overrun_errors", {"node_infiniband_excessive_buffer_overrun_errors_total", Counter, kIbHelp}},
     {"link_downed", {"node_infiniband_link_downed_total", Counter, kIbHelp}},
     {"link_error_recovery", {"node_infiniband_link_error_recovery_total", Counter, kIbHelp}},
     {"local_link_integrity_errors", {"node_infiniband_local_link_integrity_errors_total", Counter, kIbHelp}},
     {"multicast_rcv_packets", {"node_infiniband_multicast_packets_received_total", Counter, kIbHelp}},
     {"multicast_xmit_packets", {"node_infiniband_multicast_packets_transmitted_total", Counter, kIbHelp}},
     {"port_rcv_constraint_errors", {"node_infiniband_port_constraint_errors_received_total", Counter, kIbHelp}},
     {"port_xmit_constraint_errors", {"node_infiniband_port_constraint_errors_transmitted_total", Counter, kIbHelp}},
     {"port_rcv_data", {"node_infiniband_port_data_received_bytes_total", Counter, kIbHelp}, kWords},
     {"port_xmit_data", {"node_infiniband_port_data_transmitted_bytes_total", Counter, kIbHelp}, kWords},
     {"port_rcv_discards", {"node_infiniband_port_discards_received_total", Counter, kIbHelp}},
     {"port_xmit_discards", {"node_infiniband_port_discards_transmitted_total", Counter, kIbHelp}},
     {"port_rcv_errors", {"node_infiniband_port_errors_received_total", Counter, kIbHelp}},
     {"port_rcv_packets", {"node_infiniband_port_packets_received_total", Counter, kIbHelp}},
     {"port_xmit_packets", {"node_infiniband_port_packets_transmitted_total", Counter, kIbHelp}},
     {"port_rcv_remote_physical_errors",
      {"node_infiniband_port_receive_remote_physical_errors_total", Counter, kIbHelp}},
     {"port_rcv_switch_relay_errors", {"node_infiniband_port_receive_switch_relay_errors_total", Counter, kIbHelp}},
     {"port_xmit_wait", {"node_infiniband_port_transmit_wait_total", Counter, kIbHelp}},
     {"symbol_error", {"node_infiniband_symbol_error_total", Counter, kIbHelp}},
     {"unicast_rcv_packets", {"node_infiniband_unicast_packets_received_total", Counter, kIbHelp}},
     {"unicast_xmit_packets", {"node_infiniband_unicast_packets_transmitted_total", Counter, kIbHelp}},
     {"VL15_dropped", {"node_infiniband_vl15_dropped_total", Counter, kIbHelp}}}};

// "4: ACTIVE" is 4; "100 Gb/sec (4X EDR)" is 100.
std::optional<double> first_number(std::optional<std::string_view> text) {
    if (!text) return std::nullopt;
    return kernel_number(text->substr(0, text->find_first_of(": ")));
}

void add_port(HostContext& host, std::string_view device, std::string_view port, const std::string& folder) {
    const auto add = [&](const MetricFamily& family, double value) {
        host.page.add(family, {{"device", device}, {"port", port}}, value);
    };
    if (const auto state = first_number(host.files.read_line(folder + "/state"))) {
        add({"node_infiniband_state_id", Gauge, "State of the port: 1 down, 2 init, 3 armed, 4 active."}, *state);
    }
    if (const auto state = first_number(host.files.read_line(folder + "/phys_state"))) {
        add({"node_infiniband_physical_state_id", Gauge, "Physical state of the port: 3 disabled, 5 link up."}, *state);
    }
    if (const auto gigabits = first_number(host.files.read_line(folder + "/rate"))) {
        add({"node_infiniband_rate_bytes_per_second", Gauge, "Rate of the port."}, *gigabits * 1e9 / 8);
    }
    for (const auto& [file, family, scale] : kIbCounters) {
        const auto value = host.files.read_number(folder + "/counters/" + std::string(file));
        if (value) add(family, *value * scale);
    }
}

}  // namespace

Result<Unit> collect_nvme(HostContext& host) {
    const std::string folder = host.sys("class/nvme");
    const auto drives = names_in(folder);
    if (drives.empty()) return Error{Errc::NotFound, folder + ": none"};
    for (const std::string& drive : drives) {
        const auto text = [&](const char* file) {
            return std::string(host.files.read_line(folder + "/" + drive + "/" + file).value_or(""));
        };
        host.page.add(kNvme,
                      {{"device", drive},
                       {"firmware_revision", text("firmware_rev")},
                       {"model", text("model")},
                       {"serial", text("serial")},
                       {"state", text("state")}},
                      1);
    }
    return Unit{};
}

Result<Unit> collect_edac(HostContext& host) {
    const std::string folder = host.sys("devices/system/edac/mc");
    for (const std::string& name : names_in(folder)) {
        if (!name.starts_with("mc")) continue;
        const std::string_view controller = std::string_view(name).substr(2);
        const std::string path = folder + "/" + name + "/";
        const auto ce = host.files.read_number(path + "ce_count");
        const auto ue = host.files.read_number(path + "ue_count");
        if (ce) host.page.add(kCorrectable, {{"controller", controller}}, *ce);
        if (ue) host.page.add(kUncorrectable, {{"controller", controller}}, *ue);
        add_edac_row(host, controller, "unknown", path + "ce_noinfo_count", path + "ue_noinfo_count");
        for (const std::string& row : names_in(path)) {
            if (!row.starts_with("csrow")) continue;
            add_edac_row(host, controller, std::string_view(row).substr(5), path + row + "/ce_count",
                         path + row + "/ue_count");
        }
    }
    return Unit{};
}

Result<Unit> collect_infiniband(HostContext& host) {
    const std::string folder = host.sys("class/infiniband");
    const auto devices = names_in(folder);
    if (devices.empty()) return Error{Errc::NotFound, folder + ": none"};
    for (const std::string& device : devices) {
        const std::string path = folder + "/" + device + "/";
        const auto text = [&](const char* file) { return std::string(host.files.read_line(path + file).value_or("")); };
        host.page.add({"node_infiniband_info", Gauge, "What an InfiniBand adapter says of itself; the value is 1."},
                      {{"device", device},
                       {"board_id", text("board_id")},
                       {"firmware_version", text("fw_ver")},
                       {"hca_type", text("hca_type")}},
                      1);
        for (const std::string& port : names_in(path + "ports")) add_port(host, device, port, path + "ports/" + port);
    }
    return Unit{};
}

}  // namespace stoker::collect
