#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <cmath>
#include <memory>

#include "base/log_format.h"
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
    const bool json = line_format.load(std::memory_order_relaxed) == Format::Json;
    const std::string line = json ? json_line(now(), level, message, fields) : text_line(now(), level, message, fields);
    output().log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace stoker::log
