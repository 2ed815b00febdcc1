#include "collect/gpu/kernel_log.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/text.h"

namespace stoker::collect {
namespace {

constexpr std::size_t kLongestLine = 16 * 1024;  // The kernel's records have at most 8 KiB.

bool is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

// "PCI:0000:3b:00", "0000:3b:00.0", "00000000:3B:00.0" as "0000:3b:00.0"; empty: no address.
std::string address(std::string_view text) {
    if (text.starts_with("PCI:")) text.remove_prefix(4);
    const std::string lower = to_lower(text);
    const auto parts = split(lower, ':');
    if (parts.size() != 3) return "";
    std::string_view domain = parts[0];
    const std::string_view device = parts[2].substr(0, 2);
    if (domain.size() > 4 && domain.find_first_not_of('0') >= domain.size() - 4)
        domain.remove_prefix(domain.size() - 4);
    for (std::string_view part : {domain, parts[1], device}) {
        if (part.empty() || part.size() > 8 || !std::all_of(part.begin(), part.end(), is_hex)) return "";
    }
    return std::string(domain) + ":" + std::string(parts[1]) + ":" + std::string(device) + ".0";
}

std::int64_t since_boot_us() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);  // What the kernel stamps its records with.
    return static_cast<std::int64_t>(time.tv_sec) * 1'000'000 + time.tv_nsec / 1'000;
}

}  // namespace

std::optional<KernelRecord> parse_kernel_record(std::string_view line) {
    const auto semicolon = line.find(';');
    if (semicolon == std::string_view::npos) return std::nullopt;
    const auto fields = split(line.substr(0, semicolon), ',');
    if (fields.size() < 4) return std::nullopt;
    const auto time = parse_integer(fields[2]);
    if (!time || *time < 0) return std::nullopt;
    return KernelRecord{.since_boot_us = *time, .message = line.substr(semicolon + 1)};
}

std::optional<XidLine> parse_xid_line(std::string_view message) {
    XidLine line;
    constexpr std::string_view kGpu = "NVRM: Xid (";
    constexpr std::string_view kSwitch = ": SXid (";
    auto begin = message.find(kGpu);
    if (begin != std::string_view::npos) {
        message.remove_prefix(begin + kGpu.size());
    } else {
        begin = message.find(kSwitch);
        if (begin == std::string_view::npos || !message.starts_with("nvidia-nvswitch")) return std::nullopt;
        message.remove_prefix(begin + kSwitch.size());
        line.nvswitch = true;
    }
    const auto end = message.find("): ");
    if (end == std::string_view::npos) return std::nullopt;
    line.pci = address(message.substr(0, end));
    message.remove_prefix(end + 3);
    const auto comma = message.find(',');
    const auto code = parse_integer(trim(message.substr(0, comma)));
    if (!code || *code < 1 || *code > 100'000 || line.pci.empty()) return std::nullopt;
    line.code = *code;
    if (comma != std::string_view::npos) line.detail = trim(message.substr(comma + 1));
    return line;
}

KernelLog::~KernelLog() {
    if (file_ >= 0) close(file_);
}

Result<Unit> KernelLog::read(Timestamp now, const std::function<void(Timestamp, std::string_view)>& take) {
    if (file_ < 0) {
        file_ = open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (file_ < 0) {
            const Errc code = errno == ENOENT                     ? Errc::NotFound
                              : errno == EACCES || errno == EPERM ? Errc::PermissionDenied
                                                                  : Errc::Internal;
            return Error{code, path_ + ": " + std::strerror(errno)};
        }
    }
    const std::int64_t clock_us = since_boot_us();
    std::array<char, kLongestLine> buffer{};
    for (std::size_t i = 0; i < kMost; ++i) {
        const ssize_t size = ::read(file_, buffer.data(), buffer.size());
        if (size < 0 && (errno == EPIPE || errno == EINTR)) continue;  // Records were overwritten before we came.
        if (size < 0 && errno != EAGAIN) {
            const std::string why = std::strerror(errno);
            close(file_);
            file_ = -1;
            return Error{Errc::PermissionDenied, path_ + ": " + why};
        }
        if (size <= 0) break;
        rest_.append(buffer.data(), static_cast<std::size_t>(size));
        std::size_t from = 0;
        for (auto end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', from)) {
            const auto record = parse_kernel_record(std::string_view(rest_).substr(from, end - from));
            if (record) {
                const Duration age((std::max<std::int64_t>(clock_us - record->since_boot_us, 0)) / 1'000);
                take(now - age, record->message);
            }
            from = end + 1;
        }
        rest_.erase(0, from);
        if (rest_.size() > kLongestLine) rest_.clear();
    }
    return Unit{};
}

}  // namespace stoker::collect
