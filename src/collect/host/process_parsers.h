// A process's files in /proc/PID as numbers, and which inference engine a command line starts. Pure functions,
// thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stoker::collect {

// The group of a process by its command line (arguments end with '\0', as in /proc/PID/cmdline): "vllm", "sglang",
// "tgi", "tensorrt-llm", "triton", "lmdeploy", "llama.cpp", "ollama", "ray", "stoker"; "" for any other.
std::string_view process_group(std::string_view command_line);

struct ProcessStat {
    char state = '?';
    double minor_faults = 0;
    double major_faults = 0;
    double user_seconds = 0;
    double system_seconds = 0;
    double threads = 0;
    std::uint64_t start_ticks = 0;  // Since boot. With the number, tells processes apart.
    double virtual_bytes = 0;
    double resident_pages = 0;
};
// /proc/PID/stat; nothing if it is not whole.
std::optional<ProcessStat> parse_process_stat(std::string_view text);

struct ProcessStatus {
    double swapped_bytes = 0;
    double voluntary_switches = 0;
    double involuntary_switches = 0;
};
ProcessStatus parse_process_status(std::string_view text);  // /proc/PID/status

struct ProcessIo {
    double read_bytes = 0;
    double write_bytes = 0;
};
ProcessIo parse_process_io(std::string_view text);  // /proc/PID/io

// The soft limit of open files in /proc/PID/limits; nothing if there is none.
std::optional<double> parse_open_files_limit(std::string_view text);

}  // namespace stoker::collect
