#include "bench/process.h"

#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace stoker::bench {

ProcessUse process_use(int pid) {
    ProcessUse use;
    const std::string folder = "/proc/" + std::to_string(pid);
    std::ifstream status(folder + "/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmRSS:")) use.resident_kib = std::stol(line.substr(6));
    }
    std::string text;
    std::getline(std::ifstream(folder + "/stat"), text);
    // Behind the name in parentheses, which may hold anything: the state and ten numbers, then utime and stime.
    std::istringstream fields(text.substr(text.rfind(')') == std::string::npos ? text.size() : text.rfind(')') + 1));
    std::string skipped;
    for (int i = 0; i < 11; ++i) fields >> skipped;
    double user = 0, system = 0;
    fields >> user >> system;
    // Ticks look coarse, but the kernel scales them to what its scheduler counted in nanoseconds.
    use.cpu_seconds = (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
    return use;
}

}  // namespace stoker::bench
