// The log: leveled lines with key-value fields, as text for people or JSON for machines, on standard error.
//
//   log::info("engine ejected", {{"replica", id}, {"reason", reason}});
//
// A request id rides along as the field "request_id". User-visible errors never carry internals; the log does.
// Thread-safe.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

namespace stoker::log {

enum class Level : std::uint8_t { Debug, Info, Warn, Error, Off };
enum class Format : std::uint8_t { Text, Json };

// One "key=value"; numbers and bools stay bare in JSON.
struct Field {
    std::string_view key;
    std::string value;
    bool quoted = true;

    Field(std::string_view k, std::string_view v) : key(k), value(v) {}
    Field(std::string_view k, const std::string& v) : key(k), value(v) {}
    Field(std::string_view k, const char* v) : key(k), value(v) {}
    Field(std::string_view k, bool v) : key(k), value(v ? "true" : "false"), quoted(false) {}
    Field(std::string_view k, double v);
    template <typename N>
    requires std::is_integral_v<N> Field(std::string_view k, N v) : key(k), value(std::to_string(v)), quoted(false) {}
};

using Fields = std::initializer_list<Field>;

// Sets how lines look and from which level they are written. Default: Info, Text.
void configure(Level level, Format format);
bool enabled(Level level);
void write(Level level, std::string_view message, Fields fields);

inline void debug(std::string_view message, Fields fields = {}) {
    write(Level::Debug, message, fields);
}
inline void info(std::string_view message, Fields fields = {}) {
    write(Level::Info, message, fields);
}
inline void warn(std::string_view message, Fields fields = {}) {
    write(Level::Warn, message, fields);
}
inline void error(std::string_view message, Fields fields = {}) {
    write(Level::Error, message, fields);
}

}  // namespace stoker::log
