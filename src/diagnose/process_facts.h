// What is known of a replica's own process, in words and as findings.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "diagnose/finding.h"

namespace stoker::diagnose {

struct ProcessFacts {
    std::int64_t pid = 0;
    bool running = false;
    bool stopped = false;     // By SIGSTOP or a debugger.
    bool exit_known = false;  // Of a process that this Stoker started; adopted ones end without a status.
    int exit_code = 0;
    int exit_signal = 0;      // 0: it exited by itself.
    std::string last_output;  // Last line of its log.
};

// Answered by whoever supervises engines. Thread-safe; must not block.
class ProcessWatch {
public:
    virtual ~ProcessWatch() = default;
    // Nothing for a replica that is not supervised.
    virtual std::optional<ProcessFacts> process_of(const std::string& replica) const = 0;
};

// The signal that ended it, or 0. Codes 129 to 159 are how shells and containers report one: 137 is 128 + SIGKILL.
int ending_signal(int exit_code, int exit_signal);

// "ended by signal 9 (SIGKILL)", "exited with code 137 (as after SIGKILL)", "exited with code 1"; "ended" if not known.
std::string how_it_ended(bool exit_known, int exit_code, int exit_signal);

std::vector<Observation> process_findings(const ProcessFacts& facts);

}  // namespace stoker::diagnose
