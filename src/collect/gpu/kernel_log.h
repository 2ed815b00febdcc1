// The kernel's log (/dev/kmsg) and what NVIDIA's driver writes there. Parsers are pure and take any bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace stoker::collect {

// One record: "PRIORITY,SEQUENCE,MICROSECONDS,FLAGS;MESSAGE", the time since the machine started.
struct KernelRecord {
    std::int64_t since_boot_us = 0;
    std::string_view message;
};
std::optional<KernelRecord> parse_kernel_record(std::string_view line);

// "NVRM: Xid (PCI:0000:3b:00): 79, pid=123, name=python, GPU has fallen off the bus."
struct XidLine {
    std::string pci;  // "0000:3b:00.0"
    std::int64_t code = 0;
    std::string_view detail;  // What follows the code.
    bool nvswitch = false;    // An SXid: a switch's error.
};
std::optional<XidLine> parse_xid_line(std::string_view message);

// Reads what is new in the log, never waiting. Not thread-safe.
class KernelLog {
public:
    explicit KernelLog(std::string path) : path_(std::move(path)) {}
    ~KernelLog();
    KernelLog(const KernelLog&) = delete;
    KernelLog& operator=(const KernelLog&) = delete;

    // Gives each record since the last call, with the wall-clock time it was written, oldest first; at most kMost a
    // call. Errors: NotFound, PermissionDenied (a container without the privilege), Internal.
    Result<Unit> read(Timestamp now, const std::function<void(Timestamp at, std::string_view message)>& take);

private:
    static constexpr std::size_t kMost = 10'000;

    const std::string path_;
    int file_ = -1;
    std::string rest_;  // Of a line that was not complete yet; a file that is no kernel log, in tests.
};

}  // namespace stoker::collect
