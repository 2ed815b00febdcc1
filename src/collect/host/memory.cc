// node_exporter's collectors "meminfo" and "vmstat".
#include <algorithm>
#include <cctype>

#include "collect/host/collectors.h"
#include "collect/host/host_parsers.h"

namespace stoker::collect {

void parse_meminfo(std::string_view text, SamplePage& out) {
    std::string name;
    each_line(text, [&](std::string_view line) {
        const auto fields = words(line);
        if (fields.size() < 2 || !fields[0].ends_with(':')) return;
        const auto value = kernel_number(fields[1]);
        if (!value) return;
        name = "node_memory_";
        for (const char c : fields[0].substr(0, fields[0].size() - 1)) {
            if (c == ')') continue;  // Active(anon) becomes Active_anon.
            name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
        }
        const bool kilobytes = fields.size() > 2 && fields[2] == "kB";
        if (kilobytes) name += "_bytes";
        out.add({name, MetricType::Gauge, "A field of /proc/meminfo."}, *value * (kilobytes ? 1024 : 1));
    });
}

void parse_vmstat(std::string_view text, SamplePage& out) {
    std::string name;
    each_line(text, [&](std::string_view line) {
        const std::string_view key = line.substr(0, line.find(' '));
        const bool wanted = key.starts_with("oom_kill") || key.starts_with("pgpg") || key.starts_with("pswp") ||
                            (key.starts_with("pg") && key.find("fault") != std::string_view::npos);
        if (!wanted || key.size() == line.size()) return;
        const bool is_name =
            std::all_of(key.begin(), key.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
        const auto value = kernel_number(line.substr(key.size() + 1));
        if (!is_name || !value) return;
        name = "node_vmstat_";
        name += key;
        out.add({name, MetricType::Unknown, "A field of /proc/vmstat."}, *value);
    });
}

Result<Unit> collect_meminfo(HostContext& host) {
    TRY(const auto text, host.files.read(host.proc("meminfo")));
    parse_meminfo(text, host.page);
    return Unit{};
}

Result<Unit> collect_vmstat(HostContext& host) {
    TRY(const auto text, host.files.read(host.proc("vmstat")));
    parse_vmstat(text, host.page);
    return Unit{};
}

}  // namespace stoker::collect
