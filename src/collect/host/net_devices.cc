// node_exporter's collectors "netdev" and "netclass".
#include <array>

#include "base/text.h"
#include "collect/host/collectors.h"
#include "collect/host/host_parsers.h"

namespace stoker::collect {
namespace {

using enum MetricType;

constexpr std::string_view kDevHelp = "A column of /proc/net/dev.";
constexpr std::array<MetricFamily, 16> kDevColumns = {{{"node_network_receive_bytes_total", Counter, kDevHelp},
                                                       {"node_network_receive_packets_total", Counter, kDevHelp},
                                                       {"node_network_receive_errs_total", Counter, kDevHelp},
                                                       {"node_network_receive_drop_total", Counter, kDevHelp},
                                                       {"node_network_receive_fifo_total", Counter, kDevHelp},
                                                       {"node_network_receive_frame_total", Counter, kDevHelp},
                                                       {"node_network_receive_compressed_total", Counter, kDevHelp},
                                                       {"node_network_receive_multicast_total", Counter, kDevHelp},
                                                       {"node_network_transmit_bytes_total", Counter, kDevHelp},
                                                       {"node_network_transmit_packets_total", Counter, kDevHelp},
                                                       {"node_network_transmit_errs_total", Counter, kDevHelp},
                                                       {"node_network_transmit_drop_total", Counter, kDevHelp},
                                                       {"node_network_transmit_fifo_total", Counter, kDevHelp},
                                                       {"node_network_transmit_colls_total", Counter, kDevHelp},
                                                       {"node_network_transmit_carrier_total", Counter, kDevHelp},
                                                       {"node_network_transmit_compressed_total", Counter, kDevHelp}}};
constexpr MetricFamily kNoHandler{"node_network_receive_nohandler_total", Counter,
                                  "Packets that no protocol handler wanted."};

constexpr std::string_view kClassHelp = "A property of the interface, from /sys/class/net.";
constexpr std::array<FileMetric, 14> kProperties = {
    {{"addr_assign_type", {"node_network_address_assign_type", Gauge, kClassHelp}},
     {"carrier", {"node_network_carrier", Gauge, kClassHelp}},
     {"carrier_changes", {"node_network_carrier_changes_total", Counter, kClassHelp}},
     {"carrier_up_count", {"node_network_carrier_up_changes_total", Counter, kClassHelp}},
     {"carrier_down_count", {"node_network_carrier_down_changes_total", Counter, kClassHelp}},
     {"dormant", {"node_network_dormant", Gauge, kClassHelp}},
     {"ifindex", {"node_network_iface_id", Gauge, kClassHelp}},
     {"iflink", {"node_network_iface_link", Gauge, kClassHelp}},
     {"link_mode", {"node_network_iface_link_mode", Gauge, kClassHelp}},
     {"mtu", {"node_network_mtu_bytes", Gauge, kClassHelp}},
     {"name_assign_type", {"node_network_name_assign_type", Gauge, kClassHelp}},
     {"netdev_group", {"node_network_net_dev_group", Gauge, kClassHelp}},
     {"type", {"node_network_protocol_type", Gauge, kClassHelp}},
     {"tx_queue_len", {"node_network_transmit_queue_length", Gauge, kClassHelp}}}};
constexpr MetricFamily kFlags{"node_network_flags", Gauge, kClassHelp};
constexpr MetricFamily kDeviceId{"node_network_device_id", Gauge, kClassHelp};
constexpr MetricFamily kSpeed{"node_network_speed_bytes", Gauge, "Speed of the link in bytes per second."};
constexpr MetricFamily kUp{"node_network_up", Gauge, "1 if the interface's operstate is up."};
constexpr MetricFamily kInfo{"node_network_info", Gauge, "Texts of /sys/class/net; the value is 1."};

void add_interface(HostContext& host, std::string_view device) {
    const std::string folder = host.sys("class/net/") + std::string(device) + "/";
    const auto text = [&](const char* file) { return std::string(host.files.read_line(folder + file).value_or("")); };
    for (const auto& [file, family, scale] : kProperties) {
        const auto value = host.files.read_number(folder + std::string(file));
        if (value) host.page.add(family, {{"device", device}}, *value);
    }
    if (const auto flags = kernel_hex(text("flags"))) host.page.add(kFlags, {{"device", device}}, *flags);
    if (const auto id = kernel_hex(text("dev_id"))) host.page.add(kDeviceId, {{"device", device}}, *id);
    // Negative or unreadable: not known (virtual interfaces, links that are down).
    const auto speed = host.files.read_number(folder + "speed");
    constexpr double kMegabit = 1e6 / 8;
    if (speed && *speed >= 0) host.page.add(kSpeed, {{"device", device}}, *speed * kMegabit);
    const std::string state = text("operstate");
    host.page.add(kInfo,
                  {{"device", device},
                   {"address", text("address")},
                   {"broadcast", text("broadcast")},
                   {"duplex", text("duplex")},
                   {"operstate", state},
                   {"ifalias", text("ifalias")}},
                  1);
    host.page.add(kUp, {{"device", device}}, state == "up" ? 1 : 0);
}

}  // namespace

std::vector<std::string> parse_netdev(std::string_view text, const Exclusion& excluded, SamplePage& out) {
    std::vector<std::string> devices;
    each_line(text, [&](std::string_view line) {
        // "eth0:123 ..." without a space is allowed; the headings have no colon. Names may hold colons themselves.
        const std::size_t colon = line.rfind(':');
        if (colon == std::string_view::npos) return;
        const std::string_view device = trim(line.substr(0, colon));
        const auto fields = words(line.substr(colon + 1));
        if (device.empty() || fields.size() < kDevColumns.size() || excluded.matches(device)) return;
        for (std::size_t i = 0; i < kDevColumns.size(); ++i) {
            if (const auto value = kernel_number(fields[i])) out.add(kDevColumns[i], {{"device", device}}, *value);
        }
        devices.emplace_back(device);
    });
    return devices;
}

Result<Unit> collect_netdev(HostContext& host) {
    TRY(const auto text, host.files.read(host.proc("net/dev")));
    for (const std::string& device : parse_netdev(text, host.interfaces, host.page)) {
        const auto unwanted = host.files.read_number(host.sys("class/net/") + device + "/statistics/rx_nohandler");
        if (unwanted) host.page.add(kNoHandler, {{"device", device}}, *unwanted);
    }
    return Unit{};
}

Result<Unit> collect_netclass(HostContext& host) {
    const auto devices = names_in(host.sys("class/net"));
    if (devices.empty()) return Error{Errc::NotFound, host.sys("class/net") + ": none"};
    for (const std::string& device : devices) {
        // Beside the interfaces stands a file, bonding_masters.
        const bool is_interface = host.files.read_line(host.sys("class/net/") + device + "/ifindex").has_value();
        if (is_interface && !host.interfaces.matches(device)) add_interface(host, device);
    }
    return Unit{};
}

}  // namespace stoker::collect
