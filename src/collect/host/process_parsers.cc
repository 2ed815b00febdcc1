#include "collect/host/process_parsers.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"
#include "collect/host/kernel_text.h"

namespace stoker::collect {
namespace {

struct Program {
    std::string_view name;  // Of the executable or script, or of the Python module after -m.
    std::string_view group;
};
constexpr std::array<Program, 16> kPrograms = {{{"vllm", "vllm"},
                                                {"vllm.entrypoints", "vllm"},
                                                {"sglang", "sglang"},
                                                {"sglang.launch_server", "sglang"},
                                                {"sglang_router", "sglang"},
                                                {"text-generation-launcher", "tgi"},
                                                {"text-generation-router", "tgi"},
                                                {"text-generation-server", "tgi"},
                                                {"trtllm-serve", "tensorrt-llm"},
                                                {"tensorrt_llm", "tensorrt-llm"},
                                                {"tritonserver", "triton"},
                                                {"lmdeploy", "lmdeploy"},
                                                {"llama-server", "llama.cpp"},
                                                {"llama_cpp.server", "llama.cpp"},
                                                {"ollama", "ollama"},
                                                {"stoker", "stoker"}}};
// Titles that workers give themselves: "VLLM::EngineCore", "sglang::scheduler", "ray::RayWorker".
constexpr std::array<Program, 4> kTitles = {
    {{"vllm::", "vllm"}, {"sglang::", "sglang"}, {"ray::", "ray"}, {"raylet", "ray"}}};

std::string_view base_name(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view group_of(std::string_view program) {
    for (const Program& known : kPrograms) {
        // A module's own modules are it too: vllm.entrypoints.openai.api_server.
        const bool within = program.size() > known.name.size() && program[known.name.size()] == '.';
        if (program.starts_with(known.name) && (within || program.size() == known.name.size())) return known.group;
    }
    return "";
}

double field(std::string_view text) {
    return kernel_number(text).value_or(0);
}

// The number behind "Key:" at the beginning of a line.
double value_behind(std::string_view text, std::string_view key) {
    double found = 0;
    each_line(text, [&](std::string_view line) {
        if (!line.starts_with(key)) return;
        const auto parts = words(line.substr(key.size()));
        if (!parts.empty()) found = field(parts[0]);
    });
    return found;
}

}  // namespace

std::string_view process_group(std::string_view command_line) {
    while (command_line.ends_with('\0')) command_line.remove_suffix(1);
    if (command_line.empty()) return "";  // A thread of the kernel.
    const auto arguments = split(command_line, '\0');
    const std::string title = to_lower(base_name(arguments[0].substr(0, arguments[0].find(' '))));
    for (const Program& known : kTitles) {
        if (std::string_view(title).starts_with(known.name)) return known.group;
    }
    if (!title.starts_with("python")) return group_of(title);
    // python3 [-u] /usr/local/bin/vllm serve ..., python3 -m vllm.entrypoints.openai.api_server ...
    for (std::size_t i = 1; i < arguments.size(); ++i) {
        if (arguments[i] == "-m") return i + 1 < arguments.size() ? group_of(arguments[i + 1]) : "";
        if (!arguments[i].starts_with('-')) return group_of(base_name(arguments[i]));
    }
    return "";
}

std::optional<ProcessStat> parse_process_stat(std::string_view text) {
    // The command in parentheses may hold anything, parentheses and blanks too: what counts stands behind the last one.
    const std::size_t end = text.rfind(')');
    if (end == std::string_view::npos) return std::nullopt;
    const auto fields = words(text.substr(end + 1, text.find('\n', end) - end - 1));
    constexpr std::size_t kState = 3;  // proc(5) counts from 1; the first here is the third.
    constexpr std::size_t kLast = 24;
    if (fields.size() <= kLast - kState || fields[0].size() != 1) return std::nullopt;
    const auto at = [&fields](std::size_t number) { return fields[number - kState]; };
    constexpr double kTicks = 100;  // USER_HZ.
    ProcessStat stat;
    stat.state = fields[0][0];
    stat.minor_faults = field(at(10));
    stat.major_faults = field(at(12));
    stat.user_seconds = field(at(14)) / kTicks;
    stat.system_seconds = field(at(15)) / kTicks;
    stat.threads = field(at(20));
    stat.start_ticks = static_cast<std::uint64_t>(parse_integer(at(22)).value_or(0));
    stat.virtual_bytes = field(at(23));
    stat.resident_pages = field(at(24));
    return stat;
}

ProcessStatus parse_process_status(std::string_view text) {
    constexpr double kKilobyte = 1024;
    return {.swapped_bytes = value_behind(text, "VmSwap:") * kKilobyte,
            .voluntary_switches = value_behind(text, "voluntary_ctxt_switches:"),
            .involuntary_switches = value_behind(text, "nonvoluntary_ctxt_switches:")};
}

ProcessIo parse_process_io(std::string_view text) {
    return {.read_bytes = value_behind(text, "read_bytes:"), .write_bytes = value_behind(text, "write_bytes:")};
}

std::optional<double> parse_open_files_limit(std::string_view text) {
    constexpr std::string_view kKey = "Max open files";
    std::optional<double> found;
    each_line(text, [&](std::string_view line) {
        if (!line.starts_with(kKey)) return;
        const auto parts = words(line.substr(kKey.size()));
        if (!parts.empty()) found = kernel_number(parts[0]);  // "unlimited" is no number.
    });
    return found;
}

}  // namespace stoker::collect
