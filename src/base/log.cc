#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <cmath>
#include <memory>
#include <optional>

#include "base/log_format.h"
#include "base/log_limit.h"
#include "base/sync.h"
#include "base/text.h"
#include "base/time.h"

namespace stoker::log {
namespace {

std::atomic<Level> minimum{Level::Info};
std::atomic<Format> line_format{Format::Text};

// Lines come whole from log_format; spdlog writes each in one piece, under a lock. Never destroyed, for a thread may
// still log while the process ends.
spdlog::logger& output() {
    static spdlog::logger* const logger = [] {
        auto* made = new spdlog::logger("stoker", std::make_shared<spdlog::sinks::stderr_sink_mt>());
        made->set_pattern("%v");
        made->set_level(spdlog::level::trace);
        made->flush_on(spdlog::level::trace);
        return made;
    }();
    return *logger;
}

void write_line(Level level, std::string_view message, Fields fields) {
    const bool json = line_format.load(std::memory_order_relaxed) == Format::Json;
    const std::string line = json ? json_line(now(), level, message, fields) : text_line(now(), level, message, fields);
    output().log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

// As LineLimit::admit. Never destroyed, as above.
std::optional<std::uint64_t> admit(std::string_view message) {
    struct Shared {
        Mutex mutex;
        LineLimit limit GUARDED_BY(mutex);
    };
    static Shared* const shared = new Shared;
    MutexLock lock(shared->mutex);
    return shared->limit.admit(message, std::chrono::steady_clock::now());
}

}  // namespace

Field::Field(std::string_view k, double v) : key(k), value(format_number(v)), quoted(!std::isfinite(v)) {}

void configure(Level level, Format format) {
    minimum.store(level, std::memory_order_relaxed);
    line_format.store(format, std::memory_order_relaxed);
}

bool enabled(Level level) {
    return level != Level::Off && level >= minimum.load(std::memory_order_relaxed);
}

void write(Level level, std::string_view message, Fields fields) {
    if (!enabled(level)) return;
    const std::optional<std::uint64_t> left_out = level >= Level::Warn ? admit(message) : 0;
    if (!left_out) return;
    if (*left_out > 0) write_line(Level::Warn, "lines were left out", {{"message", message}, {"lines", *left_out}});
    write_line(level, message, fields);
}

}  // namespace stoker::log
