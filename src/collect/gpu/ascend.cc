#include "collect/gpu/ascend.h"

#include <map>
#include <optional>
#include <string>

namespace stoker::collect {
namespace {

constexpr std::string_view kPrefix = "npu_chip_info_";
constexpr double kMebi = 1024.0 * 1024.0;  // The exporter says MB and means this: a chip of 64 GiB has 65536.

struct Row {
    std::string_view own;  // After kPrefix.
    std::string_view name;
    double scale = 1;
    std::string_view label = {};  // One more label, and its value; may be empty.
    std::string_view label_value = {};
};

// A chip has either DDR memory (310) or HBM (910); those with HBM show a DDR size of 0, so HBM comes first.
constexpr Row kRows[] = {
    {"utilization", "gpu_utilization_ratio", 0.01},
    {"hbm_bandwidth_utilization", "gpu_memory_io_utilization_ratio", 0.01},
    {"hbm_total_memory", "gpu_memory_total_bytes", kMebi},
    {"hbm_used_memory", "gpu_memory_used_bytes", kMebi},
    {"total_memory", "gpu_memory_total_bytes", kMebi},
    {"used_memory", "gpu_memory_used_bytes", kMebi},
    {"temperature", "gpu_temperature_celsius"},
    {"hbm_temperature", "gpu_memory_temperature_celsius"},
    {"power", "gpu_power_watts"},
    {"aicore_current_freq", "gpu_clock_hertz", 1e6, "clock", "sm"},
    {"hbm_ecc_enable_flag", "gpu_ecc_enabled"},
    {"hbm_ecc_total_single_bit_error_cnt", "gpu_ecc_errors_total", 1, "type", "corrected"},
    {"hbm_ecc_total_double_bit_error_cnt", "gpu_ecc_errors_total", 1, "type", "uncorrected"},
};

// Where it could not read a value the exporter writes -1, or the same as an unsigned number of 32 bits or near it.
bool readable(double value) {
    constexpr double kNoValue = 4294967290.0;
    return value >= 0 && value < kNoValue;
}

std::string label_of(const ScrapePage::Sample& sample, std::string_view name) {
    for (const auto& [label, value] : sample.labels) {
        if (label == name) return value;
    }
    return "";
}

struct Chip {
    std::string uuid;
    std::string model;
    std::string pci;
    std::map<std::string_view, double> values;  // By the exporter's name after kPrefix.
};

void append(const std::string& index, const Chip& chip, std::vector<AscendSample>& out) {
    const SampleBatch::Pairs own = {{"gpu", index}, {"uuid", chip.uuid}};
    const bool hbm = chip.values.contains("hbm_total_memory") && chip.values.at("hbm_total_memory") > 0;
    std::optional<double> total;
    std::optional<double> used;
    for (const Row& row : kRows) {
        const auto found = chip.values.find(row.own);
        if (found == chip.values.end()) continue;
        const bool of_ddr = row.own == "total_memory" || row.own == "used_memory";
        const bool of_hbm = row.own == "hbm_total_memory" || row.own == "hbm_used_memory";
        if ((hbm && of_ddr) || (!hbm && of_hbm)) continue;
        SampleBatch::Pairs labels = own;
        if (!row.label.empty()) labels.emplace_back(row.label, row.label_value);
        if (row.name == "gpu_ecc_errors_total") labels.emplace_back("since", "manufacture");
        const double value = found->second * row.scale;
        if (row.name == "gpu_memory_total_bytes") total = value;
        if (row.name == "gpu_memory_used_bytes") used = value;
        out.push_back({row.name, std::move(labels), value});
    }
    if (total && used && *total > 0 && *used <= *total) {
        out.push_back({"gpu_memory_free_bytes", own, *total - *used});
        out.push_back({"gpu_memory_headroom_ratio", own, (*total - *used) / *total});
    }
    SampleBatch::Pairs info = own;
    info.insert(info.end(), {{"name", chip.model}, {"vendor", "huawei"}, {"pci", chip.pci}});
    out.push_back({"gpu_info", std::move(info), 1});
}

}  // namespace

std::vector<AscendSample> ascend_samples(const std::vector<ScrapePage::Sample>& page) {
    std::map<std::string, Chip> chips;
    for (const ScrapePage::Sample& sample : page) {
        if (!std::string_view(sample.name).starts_with(kPrefix)) continue;
        const std::string index = label_of(sample, "id");
        if (index.empty()) continue;
        const std::string_view name = std::string_view(sample.name).substr(kPrefix.size());
        Chip& chip = chips[index];
        if (chip.uuid.empty()) chip.uuid = label_of(sample, "vdie_id");
        if (chip.model.empty()) chip.model = label_of(sample, "model_name");
        if (chip.pci.empty()) chip.pci = label_of(sample, "pcie_bus_info");
        // A chip that containers share has a line for each of them, of the same value.
        if (readable(sample.value)) chip.values[name] = sample.value;
    }
    std::vector<AscendSample> out;
    for (const auto& [index, chip] : chips) append(index, chip, out);
    return out;
}

}  // namespace stoker::collect
