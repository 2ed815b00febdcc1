#include "collect/host/cgroup_files.h"

#include "collect/host/kernel_text.h"

namespace stoker::collect {
namespace {

constexpr double kMicros = 1e6;

std::optional<double> seconds(std::optional<double> micros) {
    return micros ? std::optional(*micros / kMicros) : std::nullopt;
}

void parse_blkio(std::string_view text, CgroupUsage& out, double CgroupIo::*read, double CgroupIo::*write) {
    each_line(text, [&](std::string_view line) {
        const auto fields = words(line);
        if (fields.size() != 3) return;
        const auto value = kernel_number(fields[2]);
        if (!value || (fields[1] != "Read" && fields[1] != "Write")) return;
        out.io[std::string(fields[0])].*(fields[1] == "Read" ? read : write) = *value;
    });
}

}  // namespace

std::optional<double> value_of(std::string_view text, std::string_view key) {
    std::optional<double> found;
    each_line(text, [&](std::string_view line) {
        if (!line.starts_with(key) || line.size() <= key.size() || line[key.size()] != ' ') return;
        found = kernel_number(line.substr(key.size() + 1));
    });
    return found;
}

void parse_cpu_stat(std::string_view text, CgroupUsage& out) {
    out.cpu_seconds = seconds(value_of(text, "usage_usec"));
    out.cpu_user_seconds = seconds(value_of(text, "user_usec"));
    out.cpu_system_seconds = seconds(value_of(text, "system_usec"));
    out.cpu_periods = value_of(text, "nr_periods");
    out.cpu_throttled_periods = value_of(text, "nr_throttled");
    out.cpu_throttled_seconds = seconds(value_of(text, "throttled_usec"));
}

void parse_cpu_max(std::string_view text, CgroupUsage& out) {
    const auto fields = words(text.substr(0, text.find('\n')));
    if (fields.size() != 2) return;
    out.cpu_quota_micros = kernel_number(fields[0]);
    out.cpu_period_micros = kernel_number(fields[1]);
}

void parse_memory_stat(std::string_view text, CgroupUsage& out) {
    out.anonymous_bytes = value_of(text, "anon");
    out.cache_bytes = value_of(text, "file");
    out.mapped_bytes = value_of(text, "file_mapped");
    out.inactive_file_bytes = value_of(text, "inactive_file");
}

void parse_io_stat(std::string_view text, CgroupUsage& out) {
    each_line(text, [&out](std::string_view line) {
        const auto fields = words(line);
        if (fields.size() < 2 || fields[0].find(':') == std::string_view::npos) return;
        CgroupIo io;
        for (std::size_t i = 1; i < fields.size(); ++i) {
            const std::size_t equals = fields[i].find('=');
            if (equals == std::string_view::npos) continue;
            const std::string_view key = fields[i].substr(0, equals);
            const double value = kernel_number(fields[i].substr(equals + 1)).value_or(0);
            if (key == "rbytes") io.read_bytes = value;
            if (key == "wbytes") io.write_bytes = value;
            if (key == "rios") io.reads = value;
            if (key == "wios") io.writes = value;
        }
        out.io.emplace(fields[0], io);
    });
}

void parse_blkio_bytes(std::string_view text, CgroupUsage& out) {
    parse_blkio(text, out, &CgroupIo::read_bytes, &CgroupIo::write_bytes);
}

void parse_blkio_operations(std::string_view text, CgroupUsage& out) {
    parse_blkio(text, out, &CgroupIo::reads, &CgroupIo::writes);
}

}  // namespace stoker::collect
