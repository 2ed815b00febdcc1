// This machine's GPUs at the last look: what they are, how they do, what is wrong, and who uses them.
#include "api/gpus.h"

#include <nlohmann/json.hpp>

#include "api/handlers.h"

namespace stoker::api {
namespace {

using nlohmann::json;

json value(const collect::Reading& reading) {
    return reading ? json(*reading) : json(nullptr);
}

json processes_json(const collect::GpuReading& gpu) {
    json list = json::array();
    for (const auto& process : gpu.processes) {
        list.push_back({{"pid", process.pid},
                        {"name", process.name},
                        {"type", process.graphics ? "graphics" : "compute"},
                        {"memory_bytes", value(process.memory_bytes)},
                        {"sm_utilization", value(process.sm_utilization)},
                        {"engine", process.engine_instance},
                        {"replica", process.replica}});
    }
    return list;
}

json instances_json(const collect::GpuReading& gpu) {
    json list = json::array();
    for (const auto& mig : gpu.instances) {
        list.push_back({{"gpu_instance", mig.gpu_instance},
                        {"uuid", mig.uuid},
                        {"profile", mig.profile},
                        {"memory_total_bytes", value(mig.memory_total)},
                        {"memory_used_bytes", value(mig.memory_used)},
                        {"sm_active", value(mig.sm_active)}});
    }
    return list;
}

json xids_json(const collect::GpuReport& report, const collect::GpuIdentity& id) {
    json list = json::array();
    for (const auto& xid : report.xids) {
        if (xid.nvswitch || xid.pci != id.pci) continue;
        const auto& entry = report.table->find(xid.code, id.generation);
        list.push_back({{"xid", xid.code},
                        {"count", xid.count},
                        {"last_ms", to_millis(xid.last)},
                        {"meaning", entry.meaning},
                        {"severity", entry.severity},
                        {"action", entry.action},
                        {"nvidia", entry.nvidia},
                        {"detail", xid.detail}});
    }
    return list;
}

json held_down(const collect::GpuReading& gpu) {
    json reasons = json::array();
    for (const auto& reason : collect::kClockReasons) {
        if ((gpu.clock_reasons.value_or(0) & reason.bit) != 0) reasons.push_back(reason.name);
    }
    return reasons;
}

json gpu_json(const collect::GpuReport& report, const collect::GpuLook& look, const collect::GpuReading& gpu) {
    json findings = json::array();
    for (const auto& finding : gpu.findings) {
        findings.push_back({{"id", finding.id}, {"points", finding.points}, {"what", finding.what}});
    }
    return {{"gpu", gpu.id.index},
            {"uuid", gpu.id.uuid},
            {"name", gpu.id.name},
            {"vendor", gpu.id.vendor},
            {"pci", gpu.id.pci},
            {"generation", gpu.id.generation},
            {"driver", gpu.id.driver},
            {"cuda", gpu.id.cuda},
            {"vbios", gpu.id.vbios},
            {"up", !gpu.lost},
            {"at_ms", to_millis(look.at)},
            {"health", gpu.health},
            {"findings", std::move(findings)},
            {"utilization", value(gpu.utilization)},
            {"sm_active", value(gpu.sm_active)},
            {"tensor_active", value(gpu.tensor_active)},
            {"dram_active", value(gpu.dram_active)},
            {"memory_total_bytes", value(gpu.memory_total)},
            {"memory_used_bytes", value(gpu.memory_used)},
            {"memory_free_bytes", value(gpu.memory_free)},
            {"temperature_celsius", value(gpu.temperature)},
            {"slowdown_temperature_celsius", value(gpu.slowdown_temperature)},
            {"memory_temperature_celsius", value(gpu.memory_temperature)},
            {"power_watts", value(gpu.power)},
            {"power_limit_watts", value(gpu.power_limit)},
            {"sm_clock_hertz", value(gpu.sm_clock)},
            {"sm_clock_max_hertz", value(gpu.sm_clock_max)},
            {"clock_reasons", held_down(gpu)},
            {"mig", gpu.mig_enabled.value_or(0) > 0},
            {"instances", instances_json(gpu)},
            {"processes", processes_json(gpu)},
            {"xids", xids_json(report, gpu.id)}};
}

}  // namespace

std::string gpus_json(const collect::GpuReport& report, Timestamp now) {
    json readers = json::array();
    json list = json::array();
    for (const auto& look : report.looks) {
        readers.push_back({{"reader", look.reader},
                           {"at_ms", to_millis(look.at)},
                           {"age_ms", (now - look.at).count()},
                           {"gpus", look.gpus.size()},
                           {"error", look.error}});
        for (const auto& gpu : look.gpus) list.push_back(gpu_json(report, look, gpu));
    }
    // A driver's names are bytes: what is no UTF-8 is shown as such.
    return json{{"readers", std::move(readers)}, {"gpus", std::move(list)}}.dump(-1, ' ', false,
                                                                                 json::error_handler_t::replace);
}

std::vector<Route> gpu_routes(Services& services) {
    return {{"GET", "/api/v1/gpus", Cost::Work,
             [&services](const ApiRequest&) { return json_response(gpus_json(services.gpus(), services.now())); }}};
}

}  // namespace stoker::api
