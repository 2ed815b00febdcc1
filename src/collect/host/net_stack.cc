// node_exporter's collectors "netstat", "sockstat", "softnet", "arp", "conntrack", "udp_queues".
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/text.h"
#include "collect/host/collectors.h"
#include "collect/host/host_parsers.h"

namespace stoker::collect {
namespace {

using enum MetricType;

// node_exporter's default fields of /proc/net/{netstat,snmp,snmp6}.
bool is_wanted(std::string_view protocol, std::string_view field) {
    const auto one_of = [](std::string_view text, std::initializer_list<std::string_view> list) {
        return std::find(list.begin(), list.end(), text) != list.end();
    };
    if (field.ends_with("InErrors") && field.size() == 8) return true;
    if (field == "InErrs") return true;
    if (protocol == "Ip") return field == "Forwarding";
    if (protocol == "Ip6" || protocol == "IpExt") return one_of(field, {"InOctets", "OutOctets"});
    if (protocol == "Icmp" || protocol == "Icmp6") return one_of(field, {"InMsgs", "OutMsgs"});
    if (protocol == "TcpExt") {
        return field.starts_with("Listen") || field.starts_with("Syncookies") ||
               one_of(field, {"TCPSynRetrans", "TCPTimeouts"});
    }
    if (protocol == "Tcp") {
        return one_of(field,
                      {"ActiveOpens", "InSegs", "OutSegs", "OutRsts", "PassiveOpens", "RetransSegs", "CurrEstab"});
    }
    if (protocol == "Udp" || protocol == "Udp6") {
        return one_of(field, {"InDatagrams", "OutDatagrams", "NoPorts", "RcvbufErrors", "SndbufErrors"});
    }
    return false;
}

void add_field(std::string_view protocol, std::string_view field, std::string_view text, SamplePage& out) {
    if (!is_wanted(protocol, field)) return;
    const auto value = kernel_number(text);
    if (!value) return;
    std::string name = "node_netstat_";
    name.append(metric_part(protocol)).append("_").append(metric_part(field));
    out.add({name, Unknown, "A counter or state of /proc/net/netstat, snmp or snmp6."}, *value);
}

double page_bytes() {
    static const auto bytes = static_cast<double>(::sysconf(_SC_PAGESIZE));
    return bytes;
}

}  // namespace

void parse_netstat(std::string_view text, SamplePage& out) {
    std::vector<std::string_view> names;  // The line before: "Tcp: ActiveOpens ..." above "Tcp: 12 ...".
    each_line(text, [&](std::string_view line) {
        auto fields = words(line);
        const bool values = !names.empty() && names[0] == fields[0];
        if (!values || !fields[0].ends_with(':')) {
            names = std::move(fields);
            return;
        }
        const std::string_view protocol = fields[0].substr(0, fields[0].size() - 1);
        for (std::size_t i = 1; i < std::min(fields.size(), names.size()); ++i) {
            add_field(protocol, names[i], fields[i], out);
        }
        names.clear();
    });
}

void parse_snmp6(std::string_view text, SamplePage& out) {
    each_line(text, [&out](std::string_view line) {
        const auto fields = words(line);
        const std::size_t six = fields.empty() ? std::string_view::npos : fields[0].find('6');
        if (fields.size() < 2 || six == std::string_view::npos) return;
        add_field(fields[0].substr(0, six + 1), fields[0].substr(six + 1), fields[1], out);
    });
}

void parse_sockstat(std::string_view text, SamplePage& out) {
    std::string name;
    each_line(text, [&](std::string_view line) {
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos) return;
        const std::string protocol = metric_part(line.substr(0, colon));
        const auto fields = words(line.substr(colon + 1));
        for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
            const auto value = kernel_number(fields[i + 1]);
            if (!value) continue;
            name = "node_sockstat_";
            name.append(protocol).append("_").append(metric_part(fields[i]));
            out.add({name, Gauge, "A field of /proc/net/sockstat."}, *value);
            if (fields[i] != "mem") continue;
            name += "_bytes";
            out.add({name, Gauge, "Memory of sockets, from pages of /proc/net/sockstat."}, *value * page_bytes());
        }
    });
}

void parse_softnet(std::string_view text, SamplePage& out) {
    static constexpr std::array<MetricFamily, 3> kColumns = {
        {{"node_softnet_processed_total", Counter, "Packets processed."},
         {"node_softnet_dropped_total", Counter, "Packets dropped, the queue being full."},
         {"node_softnet_times_squeezed_total", Counter, "Times that processing ran out of its quota."}}};
    std::size_t row = 0;
    each_line(text, [&](std::string_view line) {
        const auto fields = words(line);
        const std::string cpu = std::to_string(row++);
        for (std::size_t i = 0; i < kColumns.size() && i < fields.size(); ++i) {
            if (const auto value = kernel_hex(fields[i])) out.add(kColumns[i], {{"cpu", cpu}}, *value);
        }
    });
}

void parse_arp(std::string_view text, SamplePage& out) {
    std::map<std::string_view, int> entries;
    bool heading = true;
    each_line(text, [&](std::string_view line) {
        const auto fields = words(line);
        constexpr std::size_t kDevice = 5;
        if (!std::exchange(heading, false) && fields.size() > kDevice) ++entries[fields[kDevice]];
    });
    for (const auto& [device, count] : entries) {
        out.add({"node_arp_entries", Gauge, "Entries of the ARP table by interface."}, {{"device", device}}, count);
    }
}

void parse_conntrack(std::string_view text, SamplePage& out) {
    static constexpr std::array<FileMetric, 8> kColumns = {
        {{"found", {"node_nf_conntrack_stat_found", Gauge, "Entries searched that were found."}},
         {"invalid", {"node_nf_conntrack_stat_invalid", Gauge, "Packets that can't be tracked."}},
         {"ignore", {"node_nf_conntrack_stat_ignore", Gauge, "Packets of connections tracked already."}},
         {"insert", {"node_nf_conntrack_stat_insert", Gauge, "Entries inserted."}},
         {"insert_failed", {"node_nf_conntrack_stat_insert_failed", Gauge, "Entries not inserted, being there."}},
         {"drop", {"node_nf_conntrack_stat_drop", Gauge, "Packets dropped, tracking having failed."}},
         {"early_drop", {"node_nf_conntrack_stat_early_drop", Gauge, "Entries dropped to make room."}},
         {"search_restart", {"node_nf_conntrack_stat_search_restart", Gauge, "Look-ups begun again."}}}};
    std::vector<std::string_view> names;
    std::map<std::string_view, double> sums;
    each_line(text, [&](std::string_view line) {
        const auto fields = words(line);
        if (names.empty()) {
            names = fields;
            return;
        }
        for (std::size_t i = 0; i < std::min(names.size(), fields.size()); ++i) {
            sums[names[i]] += kernel_hex(fields[i]).value_or(0);
        }
    });
    for (const auto& [column, family, scale] : kColumns) {
        const auto found = sums.find(column);
        if (found != sums.end()) out.add(family, found->second);
    }
}

UdpQueues parse_udp_queues(std::string_view text) {
    UdpQueues queues;
    each_line(text, [&queues](std::string_view line) {
        const auto fields = words(line);
        constexpr std::size_t kQueues = 4;  // "tx_queue:rx_queue", hexadecimal.
        if (fields.size() <= kQueues || fields[kQueues].find(':') == std::string_view::npos) return;
        const std::size_t colon = fields[kQueues].find(':');
        const auto transmit = kernel_hex(fields[kQueues].substr(0, colon));
        const auto receive = kernel_hex(fields[kQueues].substr(colon + 1));
        if (!transmit || !receive) return;
        queues.transmit += *transmit;
        queues.receive += *receive;
    });
    return queues;
}

Result<Unit> collect_netstat(HostContext& host) {
    for (const char* file : {"net/netstat", "net/snmp"}) {
        TRY(const auto text, host.files.read(host.proc(file)));
        parse_netstat(text, host.page);
    }
    // Without IPv6 there is no such file.
    if (const auto six = host.files.read(host.proc("net/snmp6"))) parse_snmp6(*six, host.page);
    return Unit{};
}

Result<Unit> collect_sockstat(HostContext& host) {
    TRY(const auto text, host.files.read(host.proc("net/sockstat")));
    parse_sockstat(text, host.page);
    if (const auto six = host.files.read(host.proc("net/sockstat6"))) parse_sockstat(*six, host.page);
    return Unit{};
}

Result<Unit> collect_softnet(HostContext& host) {
    TRY(const auto text, host.files.read(host.proc("net/softnet_stat")));
    parse_softnet(text, host.page);
    return Unit{};
}

Result<Unit> collect_arp(HostContext& host) {
    TRY(const auto text, host.files.read(host.proc("net/arp")));
    parse_arp(text, host.page);
    return Unit{};
}

Result<Unit> collect_conntrack(HostContext& host) {
    const auto entries = host.files.read_number(host.proc("sys/net/netfilter/nf_conntrack_count"));
    const auto limit = host.files.read_number(host.proc("sys/net/netfilter/nf_conntrack_max"));
    if (!entries || !limit) return Error{Errc::NotFound, "connection tracking is not loaded"};
    host.page.add({"node_nf_conntrack_entries", Gauge, "Connections tracked."}, *entries);
    host.page.add({"node_nf_conntrack_entries_limit", Gauge, "Most connections tracked."}, *limit);
    if (const auto text = host.files.read(host.proc("net/stat/nf_conntrack"))) parse_conntrack(*text, host.page);
    return Unit{};
}

Result<Unit> collect_udp_queues(HostContext& host) {
    constexpr MetricFamily kQueues{"node_udp_queues", Gauge, "Bytes waiting in UDP sockets."};
    bool any = false;
    for (const auto& [file, ip] : {std::pair{"net/udp", "v4"}, std::pair{"net/udp6", "v6"}}) {
        const auto text = host.files.read(host.proc(file));
        if (!text) continue;
        any = true;
        const UdpQueues queues = parse_udp_queues(*text);
        host.page.add(kQueues, {{"queue", "tx"}, {"ip", ip}}, queues.transmit);
        host.page.add(kQueues, {{"queue", "rx"}, {"ip", ip}}, queues.receive);
    }
    if (!any) return Error{Errc::NotFound, "/proc/net/udp: none"};
    return Unit{};
}

}  // namespace stoker::collect
