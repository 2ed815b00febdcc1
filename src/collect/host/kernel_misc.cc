// node_exporter's collectors "filefd", "entropy", "time", "timex".
#include <sys/timex.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "collect/host/collectors.h"

namespace stoker::collect {
namespace {

using enum MetricType;

}  // namespace

Result<Unit> collect_filefd(HostContext& host) {
    TRY(const auto text, host.files.read(host.proc("sys/fs/file-nr")));
    const auto fields = words(text.substr(0, text.find('\n')));
    if (fields.size() < 3) return Error{Errc::Internal, "sys/fs/file-nr: three numbers expected"};
    const auto allocated = kernel_number(fields[0]);
    const auto maximum = kernel_number(fields[2]);
    if (allocated) host.page.add({"node_filefd_allocated", Gauge, "File descriptors allocated."}, *allocated);
    if (maximum) host.page.add({"node_filefd_maximum", Gauge, "Most file descriptors."}, *maximum);
    return Unit{};
}

Result<Unit> collect_entropy(HostContext& host) {
    const auto available = host.files.read_number(host.proc("sys/kernel/random/entropy_avail"));
    const auto pool = host.files.read_number(host.proc("sys/kernel/random/poolsize"));
    if (!available) return Error{Errc::NotFound, "sys/kernel/random/entropy_avail: none"};
    host.page.add({"node_entropy_available_bits", Gauge, "Bits of entropy available."}, *available);
    if (pool) host.page.add({"node_entropy_pool_size_bits", Gauge, "Bits of the entropy pool."}, *pool);
    return Unit{};
}

Result<Unit> collect_time(HostContext& host) {
    host.page.add({"node_time_seconds", Gauge, "Unix time of this machine."},
                  static_cast<double>(to_millis(host.now)) / 1000);
    const std::time_t seconds = to_millis(host.now) / 1000;
    std::tm local{};
    if (::localtime_r(&seconds, &local) != nullptr) {
        host.page.add({"node_time_zone_offset_seconds", Gauge, "Offset of this machine's time zone."},
                      {{"time_zone", local.tm_zone}}, static_cast<double>(local.tm_gmtoff));
    }
    const std::string folder = host.sys("devices/system/clocksource");
    for (const std::string& name : names_in(folder)) {
        if (!name.starts_with("clocksource")) continue;
        const std::string_view device = std::string_view(name).substr(std::strlen("clocksource"));
        const std::string available(host.files.read_line(folder + "/" + name + "/available_clocksource").value_or(""));
        for (const std::string_view source : words(available)) {
            host.page.add({"node_time_clocksource_available_info", Gauge, "Clock sources there are."},
                          {{"device", device}, {"clocksource", source}}, 1);
        }
        const auto current = host.files.read_line(folder + "/" + name + "/current_clocksource");
        if (!current) continue;
        host.page.add({"node_time_clocksource_current_info", Gauge, "The clock source in use."},
                      {{"device", device}, {"clocksource", *current}}, 1);
    }
    return Unit{};
}

Result<Unit> collect_timex(HostContext& host) {
    struct timex state {};
    const int status = ::adjtimex(&state);
    if (status < 0) return Error{Errc::PermissionDenied, std::string("adjtimex: ") + std::strerror(errno)};
    constexpr double kMicros = 1e6;
    const double unit = (state.status & STA_NANO) != 0 ? 1e9 : kMicros;
    constexpr double kPpm16 = 1e6 * 65536;  // adjtimex(2): parts per million with 16 bits of fraction.
    struct Value {
        MetricFamily family;
        double value;
    };
    const std::array<Value, 17> values = {
        {{{"node_timex_sync_status", Gauge, "1 if the clock is synchronised."}, status != TIME_ERROR ? 1.0 : 0.0},
         {{"node_timex_offset_seconds", Gauge, "Offset to the reference clock."},
          static_cast<double>(state.offset) / unit},
         {{"node_timex_frequency_adjustment_ratio", Gauge, "Adjustment of the clock's frequency."},
          1 + static_cast<double>(state.freq) / kPpm16},
         {{"node_timex_maxerror_seconds", Gauge, "Largest error."}, static_cast<double>(state.maxerror) / kMicros},
         {{"node_timex_estimated_error_seconds", Gauge, "Estimated error."},
          static_cast<double>(state.esterror) / kMicros},
         {{"node_timex_status", Gauge, "The status bits."}, static_cast<double>(state.status)},
         {{"node_timex_loop_time_constant", Gauge, "Time constant of the phase-locked loop."},
          static_cast<double>(state.constant)},
         {{"node_timex_tick_seconds", Gauge, "Seconds between clock ticks."},
          static_cast<double>(state.tick) / kMicros},
         {{"node_timex_pps_frequency_hertz", Gauge, "Frequency of the pulse per second."},
          static_cast<double>(state.ppsfreq) / kPpm16},
         {{"node_timex_pps_jitter_seconds", Gauge, "Jitter of the pulse per second."},
          static_cast<double>(state.jitter) / unit},
         {{"node_timex_pps_shift_seconds", Gauge, "Interval of the pulse per second."},
          static_cast<double>(state.shift)},
         {{"node_timex_pps_stability_hertz", Gauge, "Stability of the pulse per second."},
          static_cast<double>(state.stabil) / kPpm16},
         {{"node_timex_pps_jitter_total", Counter, "Times that the jitter limit was exceeded."},
          static_cast<double>(state.jitcnt)},
         {{"node_timex_pps_calibration_total", Counter, "Calibration intervals."}, static_cast<double>(state.calcnt)},
         {{"node_timex_pps_error_total", Counter, "Calibration errors."}, static_cast<double>(state.errcnt)},
         {{"node_timex_pps_stability_exceeded_total", Counter, "Times that the stability limit was exceeded."},
          static_cast<double>(state.stbcnt)},
         {{"node_timex_tai_offset_seconds", Gauge, "Offset to International Atomic Time."},
          static_cast<double>(state.tai)}}};
    for (const auto& [family, value] : values) host.page.add(family, value);
    return Unit{};
}

}  // namespace stoker::collect
