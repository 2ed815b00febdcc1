#include "agent/own_use.h"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

namespace stoker::agent {
namespace {

constexpr int kTrimAbove = 128 * 1024;  // glibc's default as well, but fixed: it would grow with what is freed.

double seconds_of(const timeval& time) {
    constexpr double kMicro = 1e-6;
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * kMicro;
}

}  // namespace

Result<std::uint64_t> parse_resident_pages(std::string_view statm) {
    const auto fields = split(trim(statm), ' ');
    const auto pages = fields.size() < 2 ? std::nullopt : parse_integer(fields[1]);
    if (!pages || *pages < 0) return Error{Errc::InvalidArgument, "statm: no number of resident pages"};
    return static_cast<std::uint64_t>(*pages);
}

Result<OwnUse> read_own_use() {
    TRY(const std::string statm, read_file("/proc/self/statm"));
    TRY(const std::uint64_t pages, parse_resident_pages(statm));
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    return OwnUse{pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)),
                  seconds_of(used.ru_utime) + seconds_of(used.ru_stime)};
}

void live_small(int nice) {
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_TRIM_THRESHOLD, kTrimAbove);
    mallopt(M_MMAP_THRESHOLD, kTrimAbove);
    if (setpriority(PRIO_PROCESS, 0, nice) != 0) log::warn("the agent's priority could not be lowered");
}

void release_memory() {
    malloc_trim(0);
}

}  // namespace stoker::agent
