// node_exporter's collectors "os", "uname", "dmi".
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/text.h"
#include "collect/host/collectors.h"
#include "collect/host/host_parsers.h"

namespace stoker::collect {
namespace {

using enum MetricType;

// os-release(5): KEY=value, the value quoted as for a shell or not at all.
std::string unquoted(std::string_view text) {
    text = trim(text);
    if (text.size() < 2 || (text[0] != '"' && text[0] != '\'') || text.back() != text[0]) return std::string(text);
    std::string out;
    for (std::size_t i = 1; i + 1 < text.size(); ++i) {
        if (text[0] == '"' && text[i] == '\\' && i + 2 < text.size()) ++i;
        out += text[i];
    }
    return out;
}

// "12" of "12", "22.04" of "22.04.1"; 0 if it begins with no digit.
double major_minor(std::string_view version) {
    std::size_t end = 0;
    bool dot = false;
    for (; end < version.size(); ++end) {
        const bool is_dot = version[end] == '.' && !dot && end > 0;
        if (!is_dot && (version[end] < '0' || version[end] > '9')) break;
        dot = dot || is_dot;
    }
    std::string_view number = version.substr(0, end);
    if (number.ends_with('.')) number.remove_suffix(1);
    return kernel_number(number).value_or(0);
}

}  // namespace

void parse_os_release(std::string_view text, SamplePage& out) {
    std::map<std::string, std::string, std::less<>> fields;
    each_line(text, [&fields](std::string_view line) {
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos || line[0] == '#') return;
        fields[to_lower(trim(line.substr(0, equals)))] = unquoted(line.substr(equals + 1));
    });
    static constexpr std::array<std::string_view, 12> kLabels = {
        "build_id",    "id",      "id_like",    "image_id", "image_version",    "name",
        "pretty_name", "variant", "variant_id", "version",  "version_codename", "version_id"};
    std::array<SamplePage::Label, 12> labels;
    for (std::size_t i = 0; i < kLabels.size(); ++i) labels[i] = {kLabels[i], fields[std::string(kLabels[i])]};
    out.add({"node_os_info", Gauge, "What os-release says; the value is 1."}, labels, 1);
    const double version = major_minor(fields["version_id"]);
    if (version <= 0) return;
    out.add({"node_os_version", Gauge, "Major and minor version of the operating system."},
            {{"id", fields["id"]}, {"id_like", fields["id_like"]}, {"name", fields["name"]}}, version);
}

Result<Unit> collect_os(HostContext& host) {
    auto text = host.files.read(host.root("/etc/os-release"));
    if (!text) text = host.files.read(host.root("/usr/lib/os-release"));
    if (!text) return std::move(text).error();
    parse_os_release(*text, host.page);
    return Unit{};
}

Result<Unit> collect_uname(HostContext& host) {
    struct utsname name {};
    if (::uname(&name) != 0) return Error{Errc::Internal, "uname failed"};
    const std::string domain(host.files.read_line(host.proc("sys/kernel/domainname")).value_or("(none)"));
    host.page.add({"node_uname_info", Gauge, "What uname(2) says; the value is 1."},
                  {{"sysname", name.sysname},
                   {"release", name.release},
                   {"version", name.version},
                   {"machine", name.machine},
                   {"nodename", name.nodename},
                   {"domainname", domain}},
                  1);
    return Unit{};
}

Result<Unit> collect_dmi(HostContext& host) {
    static constexpr std::array<std::string_view, 19> kFiles = {
        "bios_date",      "bios_release",   "bios_vendor",     "bios_version",   "board_asset_tag",
        "board_name",     "board_serial",   "board_vendor",    "board_version",  "chassis_asset_tag",
        "chassis_serial", "chassis_vendor", "chassis_version", "product_family", "product_name",
        "product_serial", "product_sku",    "product_uuid",    "product_version"};
    const std::string folder = host.sys("class/dmi/id/");
    std::vector<SamplePage::Label> labels = {{"system_vendor", host.files.constant(folder + "sys_vendor")}};
    for (const std::string_view file : kFiles)
        labels.emplace_back(file, host.files.constant(folder + std::string(file)));
    const auto empty = [](const SamplePage::Label& label) { return label.second.empty(); };
    if (std::all_of(labels.begin(), labels.end(), empty)) return Error{Errc::NotFound, folder + ": none"};
    host.page.add({"node_dmi_info", Gauge, "What the firmware says of this machine; the value is 1."}, labels, 1);
    return Unit{};
}

}  // namespace stoker::collect
