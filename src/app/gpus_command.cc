// `stoker gpus`.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/ask.h"
#include "app/cli_parts.h"
#include "app/table.h"

namespace stoker::app {
namespace {

using nlohmann::json;

// A number in a unit and its limit, where there are such: "345 / 700 W".
std::string of_limit(const json& gpu, const char* key, const char* limit, double scale, const char* unit) {
    if (!gpu.at(key).is_number()) return "-";
    std::string text = fmt::format("{:.0f}", gpu.at(key).get<double>() * scale);
    if (gpu.at(limit).is_number()) text += fmt::format(" / {:.0f}", gpu.at(limit).get<double>() * scale);
    return text + unit;
}

std::string percent(const json& gpu, const char* key) {
    return gpu.at(key).is_number() ? fmt::format("{:.0f}%", gpu.at(key).get<double>() * 100) : "-";
}

void print_gpus(const json& gpus) {
    constexpr double kPerGiB = 1.0 / (1 << 30);
    Table table({"GPU", "NAME", "HEALTH", "BUSY", "SM", "TENSOR", "DRAM", "MEMORY", "TEMP", "POWER", "ENGINES"});
    for (const auto& gpu : gpus) {
        std::string engines;
        for (const auto& process : gpu.at("processes")) {
            const std::string engine =
                process.value("replica", "").empty() ? process.value("engine", "") : process.value("replica", "");
            if (!engine.empty() && engines.find(engine) == std::string::npos)
                engines += (engines.empty() ? "" : ",") + engine;
        }
        table.add({std::to_string(gpu.value("gpu", 0)), gpu.value("name", ""),
                   gpu.value("up", false) ? std::to_string(gpu.value("health", 0)) : "lost",
                   percent(gpu, "utilization"), percent(gpu, "sm_active"), percent(gpu, "tensor_active"),
                   percent(gpu, "dram_active"),
                   of_limit(gpu, "memory_used_bytes", "memory_total_bytes", kPerGiB, " GiB"),
                   of_limit(gpu, "temperature_celsius", "slowdown_temperature_celsius", 1, " C"),
                   of_limit(gpu, "power_watts", "power_limit_watts", 1, " W"), engines.empty() ? "-" : engines});
    }
    std::fputs(table.text().c_str(), stdout);
    for (const auto& gpu : gpus) {
        for (const auto& finding : gpu.at("findings")) {
            std::printf("GPU %d: -%d  %s\n", gpu.value("gpu", 0), finding.value("points", 0),
                        finding.value("what", "").c_str());
        }
    }
}

}  // namespace

void add_gpus(CLI::App& app, Run& run) {
    static GpusOptions options;
    auto& command =
        add_command(app, "gpus", "This machine's GPUs: load, memory, heat, power, health, and whose they are",
                    "  stoker gpus\n  stoker gpus --json\n");
    add_client(command, options.client);
    command.add_flag_callback(
        "--json", [] { options.client.output = Output::Json; }, "the same as --output json");
    command.callback([&run] { run = [] { return gpus(options); }; });
}

int gpus(const GpusOptions& options) {
    auto answer = ask(options.client, "GET", "/api/v1/gpus", {});
    if (!answer) return fail(answer.error());
    if (options.client.output == Output::Json) {
        std::printf("%s\n", answer->dump().c_str());
        return 0;
    }
    if (!answer->at("gpus").empty()) {
        print_gpus(answer->at("gpus"));
        return 0;
    }
    std::puts("no GPU found on the machine that Stoker runs on");
    for (const auto& reader : answer->at("readers")) {
        std::printf("  %s: %s\n", reader.value("reader", "").c_str(), reader.value("error", "").c_str());
    }
    return 0;
}

}  // namespace stoker::app
