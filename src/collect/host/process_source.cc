#include "collect/host/process_source.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/text.h"
#include "collect/host/collector_source.h"
#include "collect/host/process_parsers.h"

namespace stoker::collect {
namespace {

using enum MetricType;

// A process may become another program (exec), and a number another process: all are looked at again so often.
constexpr Duration kLookAgain{30'000};
// A process starts as a copy of the one that started it: within so many rounds it has become what it will be.
constexpr int kYoung = 3;

constexpr std::array<MetricFamily, 8> kCounters = {
    {{"namedprocess_namegroup_cpu_seconds_total", Counter, "CPU time used."},
     {"namedprocess_namegroup_cpu_seconds_total", Counter, "CPU time used."},
     {"namedprocess_namegroup_read_bytes_total", Counter, "Bytes read from disks."},
     {"namedprocess_namegroup_write_bytes_total", Counter, "Bytes written to disks."},
     {"namedprocess_namegroup_major_page_faults_total", Counter, "Page faults that needed a disk."},
     {"namedprocess_namegroup_minor_page_faults_total", Counter, "Page faults that needed no disk."},
     {"namedprocess_namegroup_context_switches_total", Counter, "Context switches."},
     {"namedprocess_namegroup_context_switches_total", Counter, "Context switches."}}};
constexpr std::array<SamplePage::Label, 8> kCounterLabels = {{{"mode", "user"},
                                                              {"mode", "system"},
                                                              {"", ""},
                                                              {"", ""},
                                                              {"", ""},
                                                              {"", ""},
                                                              {"ctxswitchtype", "voluntary"},
                                                              {"ctxswitchtype", "nonvoluntary"}}};
constexpr MetricFamily kMemory{"namedprocess_namegroup_memory_bytes", Gauge, "Memory in use."};
constexpr MetricFamily kStates{"namedprocess_namegroup_states", Gauge, "Processes by state."};

using Counts = std::array<double, kCounters.size()>;

struct Process {
    std::string_view group;
    std::uint64_t start_ticks = 0;
    Counts counts{};  // As last read.
};

struct Group {
    Counts counts{};  // Of all processes there ever were.
    double processes = 0;
    double threads = 0;
    double resident = 0;
    double virtual_bytes = 0;
    double swapped = 0;
    double descriptors = 0;
    double worst_descriptor_ratio = 0;
    std::uint64_t oldest_ticks = 0;
    std::array<double, 5> states{};
};
constexpr std::array<std::string_view, 5> kStateNames = {"Running", "Sleeping", "Waiting", "Zombie", "Other"};

std::size_t state_index(char state) {
    switch (state) {
        case 'R':
            return 0;
        case 'S':
        case 'I':
            return 1;
        case 'D':
            return 2;
        case 'Z':
            return 3;
        default:
            return 4;
    }
}

SampleBatch::Pairs process_labels(const HostOptions& options) {
    return {{"instance", options.instance.empty() ? host_name() : options.instance}, {"job", "process"}};
}

class ProcessSource : public Source {
public:
    explicit ProcessSource(const HostOptions& options) : host_(options, process_labels(options)) {}

    std::string_view name() const override { return "processes"; }
    std::size_t memory_bytes() const override {
        constexpr std::size_t kNode = 64;  // Of a map or set, about.
        return host_.page.memory_bytes() + host_.files.memory_bytes() + processes_.size() * (sizeof(Process) + kNode) +
               seen_.size() * kNode;
    }

    Result<Unit> collect(Timestamp now, SampleSink& sink) override {
        if (now - looked_ >= kLookAgain || now < looked_) {
            looked_ = now;
            seen_.clear();
        }
        for (auto& [name, group] : groups_) {
            const Counts counts = group.counts;
            group = Group{.counts = counts};
        }
        find();
        for (auto at = processes_.begin(); at != processes_.end();) {
            at = read(at->first, at->second) ? std::next(at) : processes_.erase(at);
        }
        read_boot_time();
        host_.page.begin(now);
        for (const auto& [name, group] : groups_) {
            // One that is gone keeps its counters, and so goes on from them when it comes back.
            if (group.processes > 0) add(name, group);
        }
        host_.page.finish(sink);
        return Unit{};
    }

private:
    std::string file(std::int64_t pid, std::string_view name) const {
        return host_.proc(std::to_string(pid)).append("/").append(name);
    }

    // Which of the processes that were not looked at yet are engines.
    void find() {
        std::map<std::int64_t, int> seen;
        for (const std::string& name : names_in(host_.options.procfs)) {
            if (name[0] < '1' || name[0] > '9') continue;
            const std::int64_t pid = parse_integer(name).value_or(0);
            const auto before = seen_.find(pid);
            const int rounds = before == seen_.end() ? 0 : before->second;
            seen.emplace(pid, std::min(rounds + 1, kYoung));
            if (rounds >= kYoung) continue;
            const auto command = host_.files.read(file(pid, "cmdline"));
            const std::string_view group = command ? process_group(*command) : "";
            const auto known = processes_.find(pid);
            if (known != processes_.end() && known->second.group != group) processes_.erase(known);
            if (!group.empty()) processes_.emplace(pid, Process{.group = group});
        }
        seen_ = std::move(seen);
    }

    // Adds what a process has done since the round before to its group. False: it is gone.
    bool read(std::int64_t pid, Process& process) {
        const auto text = host_.files.read(file(pid, "stat"));
        const auto stat = text ? parse_process_stat(*text) : std::nullopt;
        if (!stat) return false;
        if (process.start_ticks != 0 && process.start_ticks != stat->start_ticks) {
            seen_.erase(pid);  // Another by now: looked at in the next round.
            return false;
        }
        process.start_ticks = stat->start_ticks;
        const auto status_text = host_.files.read(file(pid, "status"));
        const ProcessStatus status = status_text ? parse_process_status(*status_text) : ProcessStatus{};
        const auto io_text = host_.files.read(file(pid, "io"));
        const ProcessIo io = io_text ? parse_process_io(*io_text) : ProcessIo{};
        const Counts counts = {stat->user_seconds,
                               stat->system_seconds,
                               io.read_bytes,
                               io.write_bytes,
                               stat->major_faults,
                               stat->minor_faults,
                               status.voluntary_switches,
                               status.involuntary_switches};
        Group& group = groups_[process.group];
        for (std::size_t i = 0; i < counts.size(); ++i) {
            group.counts[i] += std::max(0.0, counts[i] - process.counts[i]);
            process.counts[i] = std::max(counts[i], process.counts[i]);
        }
        static const auto page_bytes = static_cast<double>(::sysconf(_SC_PAGESIZE));
        ++group.processes;
        group.threads += stat->threads;
        group.resident += stat->resident_pages * page_bytes;
        group.virtual_bytes += stat->virtual_bytes;
        group.swapped += status.swapped_bytes;
        ++group.states[state_index(stat->state)];
        if (group.oldest_ticks == 0 || stat->start_ticks < group.oldest_ticks) group.oldest_ticks = stat->start_ticks;
        const double descriptors = open_descriptors(pid);
        group.descriptors += descriptors;
        if (const auto limits = host_.files.read(file(pid, "limits"))) {
            const auto limit = parse_open_files_limit(*limits);
            const double ratio = limit && *limit > 0 ? descriptors / *limit : 0;
            group.worst_descriptor_ratio = std::max(group.worst_descriptor_ratio, ratio);
        }
        return true;
    }

    // Linux 6.2 and later say the number as the folder's size; before, the entries are counted.
    double open_descriptors(std::int64_t pid) const {
        const std::string folder = file(pid, "fd");
        struct stat info {};
        if (::stat(folder.c_str(), &info) == 0 && info.st_size > 0) return static_cast<double>(info.st_size);
        return static_cast<double>(names_in(folder).size());
    }

    void read_boot_time() {
        if (boot_ > 0) return;
        const auto text = host_.files.read(host_.proc("stat"));
        if (!text) return;
        each_line(*text, [this](std::string_view line) {
            if (line.starts_with("btime ")) boot_ = kernel_number(line.substr(6)).value_or(0);
        });
    }

    void add(std::string_view name, const Group& group) {
        const SamplePage::Label by_group = {"groupname", name};
        const auto gauge = [&](std::string_view metric, std::string_view help, double value) {
            host_.page.add({metric, Gauge, help}, {by_group}, value);
        };
        gauge("namedprocess_namegroup_num_procs", "Processes.", group.processes);
        gauge("namedprocess_namegroup_num_threads", "Threads.", group.threads);
        gauge("namedprocess_namegroup_open_filedesc", "Open file descriptors.", group.descriptors);
        gauge("namedprocess_namegroup_worst_fd_ratio",
              "Largest share of its limit of file descriptors that one has open.", group.worst_descriptor_ratio);
        constexpr double kTicks = 100;
        gauge("namedprocess_namegroup_oldest_start_time_seconds", "When the oldest process started, in Unix time.",
              boot_ + static_cast<double>(group.oldest_ticks) / kTicks);
        host_.page.add(kMemory, {by_group, {"memtype", "resident"}}, group.resident);
        host_.page.add(kMemory, {by_group, {"memtype", "virtual"}}, group.virtual_bytes);
        host_.page.add(kMemory, {by_group, {"memtype", "swapped"}}, group.swapped);
        for (std::size_t i = 0; i < kStateNames.size(); ++i) {
            host_.page.add(kStates, {by_group, {"state", kStateNames[i]}}, group.states[i]);
        }
        for (std::size_t i = 0; i < kCounters.size(); ++i) {
            host_.page.add(kCounters[i], {by_group, kCounterLabels[i]}, group.counts[i]);
        }
    }

    HostContext host_;
    Timestamp looked_{};
    double boot_ = 0;                   // Unix time; 0: not known yet.
    std::map<std::int64_t, int> seen_;  // Rounds that each process was looked at.
    std::map<std::int64_t, Process> processes_;
    std::map<std::string_view, Group> groups_;  // The names are constants.
};

}  // namespace

std::shared_ptr<Source> process_source(const HostOptions& options) {
    return std::make_shared<ProcessSource>(options);
}

}  // namespace stoker::collect
