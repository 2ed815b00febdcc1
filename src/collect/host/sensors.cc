// node_exporter's collectors "hwmon", "thermal_zone", "rapl": what drivers measure, so reading may take its time.
#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <map>

#include "base/text.h"
#include "collect/host/collectors.h"
#include "collect/host/host_parsers.h"

namespace stoker::collect {
namespace {

using enum MetricType;
namespace fs = std::filesystem;

constexpr MetricFamily kChipName{"node_hwmon_chip_names", Gauge, "The name that a chip's driver gives it."};
constexpr MetricFamily kSensorLabel{"node_hwmon_sensor_label", Gauge, "The label that a driver gives a sensor."};
constexpr MetricFamily kZone{"node_thermal_zone_temp", Gauge, "Temperature of a zone in degrees Celsius."};
constexpr MetricFamily kCooling{"node_cooling_device_cur_state", Gauge, "How hard a cooling device works."};
constexpr MetricFamily kCoolingMax{"node_cooling_device_max_state", Gauge, "How hard a cooling device can work."};
constexpr std::string_view kHelp = "A sensor of /sys/class/hwmon (Documentation/hwmon/sysfs-interface.rst).";

// node_exporter's spelling of a driver's text in names and labels.
std::string clean(std::string_view text) {
    std::string out = to_lower(trim(text));
    for (char& c : out) {
        const bool kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == ':' || c == '_';
        if (!kept) c = '_';
    }
    const std::size_t begin = out.find_first_not_of('_');
    if (begin == std::string::npos) return "";
    return out.substr(begin, out.find_last_not_of('_') - begin + 1);
}

// By the place of the device, which is the same after a restart; the number of the folder is not.
std::string chip_of(const std::string& folder) {
    std::error_code none;
    const fs::path device = fs::canonical(folder + "/device", none);
    if (!none) {
        const std::string name = clean(device.filename().string());
        const std::string bus = clean(device.parent_path().filename().string());
        if (!name.empty()) return bus.empty() ? name : bus + "_" + name;
    }
    return clean(fs::path(folder).filename().string());
}

using Properties = std::map<std::string, std::string>;  // By property; "" is the sensor's file without one.

void read_sensors(HostContext& host, const std::string& folder, std::map<std::string, Properties>& sensors) {
    for (const std::string& name : names_in(folder)) {
        const SensorFile file = parse_sensor_file(name);
        if (file.type.empty()) continue;
        const auto value = host.files.read_line(folder + "/" + name);
        if (value) sensors[file.type + std::to_string(file.number)][file.property] = *value;
    }
}

void add_chip(HostContext& host, const std::string& folder) {
    const std::string chip = chip_of(folder);
    std::map<std::string, Properties> sensors;
    read_sensors(host, folder, sensors);
    read_sensors(host, folder + "/device", sensors);
    const std::string name = clean(host.files.read_line(folder + "/name").value_or(""));
    if (!name.empty()) host.page.add(kChipName, {{"chip", chip}, {"chip_name", name}}, 1);
    for (const auto& [sensor, properties] : sensors) {
        const std::string type = parse_sensor_file(sensor).type;
        const auto label = properties.find("label");
        const std::string text = label == properties.end() ? "" : clean(label->second);
        if (!text.empty()) host.page.add(kSensorLabel, {{"chip", chip}, {"sensor", sensor}, {"label", text}}, 1);
        for (const auto& [property, value] : properties) {
            if (property == "label") continue;
            add_sensor_value(chip, sensor, type, property, properties.contains(""), value, host.page);
        }
    }
}

}  // namespace

SensorFile parse_sensor_file(std::string_view name) {
    static constexpr std::array<std::string_view, 13> kTypes = {
        "vrm",  "beep_enable", "update_interval", "in",     "cpu",      "fan",      "pwm",
        "temp", "curr",        "power",           "energy", "humidity", "intrusion"};
    const std::size_t digits = std::min(name.find_first_of("0123456789"), name.size());
    SensorFile file;
    file.type = name.substr(0, digits);
    if (std::find(kTypes.begin(), kTypes.end(), file.type) == kTypes.end()) return {};
    std::string_view rest = name.substr(digits);
    const auto [end, problem] = std::from_chars(rest.data(), rest.data() + rest.size(), file.number);
    if (!rest.empty() && problem != std::errc{}) return {};
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    if (rest.empty()) return file;
    if (rest.size() < 2 || rest[0] != '_') return {};
    file.property = rest.substr(1);
    return file;
}

void add_sensor_value(std::string_view chip, std::string_view sensor, std::string_view type, std::string_view property,
                      bool bare, std::string_view text, SamplePage& out) {
    const auto value = kernel_number(text);
    if (!value) return;
    const auto add = [&](std::string_view name, double divisor = 1, MetricType kind = Gauge) {
        out.add({name, kind, kHelp}, {{"chip", chip}, {"sensor", sensor}}, *value / divisor);
    };
    if (type == "beep_enable") return add("node_hwmon_beep_enabled");
    if (type == "vrm") return add("node_hwmon_voltage_regulator_version");
    if (type == "update_interval") return add("node_hwmon_update_interval_seconds", 1e3);
    std::string name = "node_hwmon_";
    name += type;
    if (property == "input") {
        if (bare) name += "_input";
    } else if (!property.empty()) {
        name += "_" + clean(property);
    }
    const bool is_interval = property.starts_with("average_interval");
    if (property == "fault" || property == "alarm") return add(name);
    if (property == "beep") return add(name + "_enabled");
    if (type == "in" || type == "cpu") return add(name + "_volts", 1e3);
    if (type == "temp" && property != "type") return add(name + "_celsius", 1e3);
    if (type == "curr") return add(name + "_amps", 1e3);
    if (type == "energy") return add(name + "_joule_total", 1e6, Counter);
    if (type == "power" && property == "accuracy") return add(name, 1e6);
    if (type == "power" && is_interval) return add(name + "_seconds", 1e3);
    if (type == "power") return add(name + "_watt", 1e6);
    if (type == "humidity") return add(name, 1e6);
    const bool is_speed = property == "input" || property == "min" || property == "max" || property == "target";
    if (type == "fan" && is_speed) return add(name + "_rpm");
    add(name);
}

Result<Unit> collect_hwmon(HostContext& host) {
    const std::string folder = host.sys("class/hwmon");
    const auto chips = names_in(folder);
    if (chips.empty()) return Error{Errc::NotFound, folder + ": none"};
    for (const std::string& chip : chips) add_chip(host, folder + "/" + chip);
    return Unit{};
}

Result<Unit> collect_thermal_zone(HostContext& host) {
    const std::string folder = host.sys("class/thermal");
    for (const std::string& name : names_in(folder)) {
        const std::string path = folder + "/" + name + "/";
        const std::string type(host.files.read_line(path + "type").value_or(""));
        if (name.starts_with("thermal_zone")) {
            const auto milli = host.files.read_number(path + "temp");
            if (milli) host.page.add(kZone, {{"zone", name.substr(12)}, {"type", type}}, *milli / 1e3);
        } else if (name.starts_with("cooling_device")) {
            const auto now = host.files.read_number(path + "cur_state");
            const auto most = host.files.read_number(path + "max_state");
            if (now) host.page.add(kCooling, {{"name", name.substr(14)}, {"type", type}}, *now);
            if (most) host.page.add(kCoolingMax, {{"name", name.substr(14)}, {"type", type}}, *most);
        }
    }
    return Unit{};
}

Result<Unit> collect_rapl(HostContext& host) {
    const std::string folder = host.sys("class/powercap");
    bool any = false;
    std::map<std::string, int> indices;  // Zones of one name are counted.
    for (const std::string& zone : names_in(folder)) {
        // "intel-rapl:0" is a zone, "intel-rapl" the controller.
        if (zone.find(':') == std::string::npos) continue;
        const std::string path = folder + "/" + zone;
        std::string label(host.files.read_line(path + "/name").value_or(""));
        int index = indices[label]++;
        // "package-1" says its number itself.
        const std::size_t dash = label.rfind('-');
        const auto own = dash == std::string::npos ? std::nullopt : parse_integer(label.substr(dash + 1));
        if (own) {
            index = static_cast<int>(*own);
            label.resize(dash);
        }
        const auto micro = host.files.read_number(path + "/energy_uj");
        if (label.empty() || !micro) continue;
        any = true;
        const std::string name = "node_rapl_" + metric_part(label) + "_joules_total";
        host.page.add({name, Counter, "Energy used, from /sys/class/powercap."},
                      {{"index", std::to_string(index)}, {"path", path}}, *micro / 1e6);
    }
    if (!any) return Error{Errc::NotFound, folder + ": none that can be read"};
    return Unit{};
}

}  // namespace stoker::collect
