#include "diagnose/process_facts.h"

#include <csignal>
#include <cstring>

namespace stoker::diagnose {
namespace {

constexpr int kSignalsFrom = 128;  // Exit codes above are signals, as shells and containers report them.
constexpr int kLastSignal = 31;

bool is_crash(int number) {
    return number == SIGSEGV || number == SIGABRT || number == SIGBUS || number == SIGILL || number == SIGFPE;
}

std::string name_of(int number) {
    const char* name = sigabbrev_np(number);
    return name == nullptr ? "signal " + std::to_string(number) : "SIG" + std::string(name);
}

// How it ended is one question with several answers. Only the answer is an observation: that an engine killed by
// SIGKILL did not also crash follows from it, and would count the same thing twice.
std::vector<Observation> end_findings(const ProcessFacts& facts, const Evidence& evidence) {
    const int signal = ending_signal(facts.exit_code, facts.exit_signal);
    if (signal == SIGKILL) return {{Finding::KilledBySigkill, true, evidence}};
    if (is_crash(signal)) return {{Finding::CrashSignal, true, evidence}};
    if (signal == 0 && facts.exit_code != 0) return {{Finding::ExitedWithError, true, evidence}};
    return {{Finding::KilledBySigkill, false, evidence},
            {Finding::CrashSignal, false, evidence},
            {Finding::ExitedWithError, false, evidence}};
}

}  // namespace

int ending_signal(int exit_code, int exit_signal) {
    if (exit_signal != 0) return exit_signal;
    const int number = exit_code - kSignalsFrom;
    return number >= 1 && number <= kLastSignal ? number : 0;
}

std::string how_it_ended(bool exit_known, int exit_code, int exit_signal) {
    if (!exit_known) return "ended";
    if (exit_signal != 0) {
        const std::string text = "ended by signal " + std::to_string(exit_signal);
        return sigabbrev_np(exit_signal) == nullptr ? text : text + " (" + name_of(exit_signal) + ")";
    }
    const int signal = ending_signal(exit_code, exit_signal);
    const std::string text = "exited with code " + std::to_string(exit_code);
    return signal == 0 ? text : text + " (as after " + name_of(signal) + ")";
}

std::vector<Observation> process_findings(const ProcessFacts& facts) {
    const std::string pid = "Process " + std::to_string(facts.pid);
    if (facts.running) {
        const Evidence seen{pid + (facts.stopped ? " is there, but stopped (SIGSTOP or a debugger)" : " is running"),
                            "", ""};
        return {{Finding::ProcessGone, false, seen}, {Finding::ProcessStopped, facts.stopped, seen}};
    }
    std::string ended = pid + " " + how_it_ended(facts.exit_known, facts.exit_code, facts.exit_signal);
    if (!facts.last_output.empty()) ended += "; its last line was: " + facts.last_output;
    const Evidence evidence{std::move(ended), "", ""};
    std::vector<Observation> found{{Finding::ProcessGone, true, evidence}};
    if (!facts.exit_known) return found;
    for (Observation& item : end_findings(facts, evidence)) found.push_back(std::move(item));
    return found;
}

}  // namespace stoker::diagnose
