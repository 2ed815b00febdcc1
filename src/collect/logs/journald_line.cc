// Fields: man systemd.journal-fields; the JSON: systemd.io/JOURNAL_EXPORT_FORMATS.
#include "collect/logs/journald_line.h"

#include <array>

#include "base/text.h"
#include "collect/logs/parse_line.h"
#include "collect/logs/severity.h"
#include "wire/flat_json.h"

namespace stoker::collect {
namespace {

// A field is a string; a list of its bytes where it is no text; a list of its values where it occurs more than once, of
// which the first is taken; null where it is too large to print.
std::string text_of(std::string_view value, wire::FlatKind kind) {
    if (kind == wire::FlatKind::Text) return std::string(value);
    std::string out;
    if (!value.starts_with('[') || !value.ends_with(']')) return out;
    value = value.substr(1, value.size() - 2);
    if (value.starts_with('"')) return std::string(value.substr(1, value.find('"', 1) - 1));
    for (const std::string_view number : split(value, ',')) {
        const auto byte = parse_integer(number);
        if (!byte || *byte < 0 || *byte > 255) return out;
        out += static_cast<char>(*byte);
    }
    return out;
}

std::string unit_name(std::string unit) {
    constexpr std::string_view kService = ".service";
    if (unit.ends_with(kService)) unit.resize(unit.size() - kService.size());
    return unit;
}

struct Kept {
    std::string_view field;
    std::string_view attribute;
};
constexpr std::array kKept = std::to_array<Kept>({{"_HOSTNAME", "host.name"},
                                                  {"_PID", "process.pid"},
                                                  {"_TRANSPORT", "journald.transport"},
                                                  {"_SYSTEMD_UNIT", "journald.unit"},
                                                  {"CONTAINER_NAME", "container.name"},
                                                  {"CODE_FILE", "code.file.path"},
                                                  {"CODE_LINE", "code.line.number"}});

}  // namespace

Result<JournaldEntry> parse_journald_line(std::string_view line) {
    JournaldEntry out;
    LogEntry& entry = out.entry;
    entry.source = "journald";
    std::string identifier;
    std::string unit;
    std::int64_t source_time = 0;
    std::int64_t time = 0;
    const auto take = [&](std::string_view key, std::string_view value, wire::FlatKind kind) {
        const auto number = [&] { return parse_integer(text_of(value, kind)).value_or(-1); };
        if (key == "MESSAGE") entry.body = text_of(value, kind);
        if (key == "__CURSOR") out.cursor = text_of(value, kind);
        if (key == "__REALTIME_TIMESTAMP") time = number();
        if (key == "_SOURCE_REALTIME_TIMESTAMP") source_time = number();
        if (key == "SYSLOG_IDENTIFIER") identifier = text_of(value, kind);
        if (key == "_SYSTEMD_UNIT") unit = text_of(value, kind);
        if (key == "PRIORITY") {
            const std::int64_t priority = number();
            if (priority >= 0 && priority <= 7) entry.severity = severity_of_priority(static_cast<int>(priority));
            entry.severity_text = severity_name(entry.severity);
        }
        for (const Kept& kept : kKept) {
            if (key == kept.field) entry.attributes.emplace_back(kept.attribute, text_of(value, kind));
        }
    };
    if (!wire::flatten_json(line, 1, take)) {
        return Error{Errc::InvalidArgument, "journalctl: a line is no JSON object"};
    }
    const std::int64_t micros = source_time > 0 ? source_time : time;
    constexpr std::int64_t kMostMicros = INT64_MAX / 1000;
    if (micros > 0 && micros <= kMostMicros) entry.time_ns = micros * 1000;
    entry.service = unit_name(unit.empty() ? identifier : unit);
    entry.stream = unit.empty() ? identifier : unit;
    // A daemon that logs by standard output has one priority for everything: what the line itself says is truer.
    const std::uint8_t told = entry.severity;
    if (told == kInfo) entry.severity = 0;
    parse_line(entry);
    if (entry.severity == 0) entry.severity = told;
    return out;
}

}  // namespace stoker::collect
