// Numbers as people read them, and the methods of times and durations.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "alert/template_functions.h"

namespace stoker::alert::internal {
namespace {

constexpr std::array<const char*, 8> kLarge = {"k", "M", "G", "T", "P", "E", "Z", "Y"};
constexpr std::array<const char*, 8> kBinary = {"ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"};
constexpr std::array<const char*, 8> kSmall = {"m", "u", "n", "p", "f", "a", "z", "y"};

std::string scale_down(double value, double base, const std::array<const char*, 8>& prefixes) {
    const char* prefix = "";
    for (const char* next : prefixes) {
        if (std::abs(value) < base) break;
        prefix = next;
        value /= base;
    }
    return four_digits(value) + prefix;
}

std::string scale_up(double value) {
    const char* prefix = "";
    for (const char* next : kSmall) {
        if (std::abs(value) >= 1) break;
        prefix = next;
        value *= 1000;
    }
    return four_digits(value) + prefix;
}

Error no_method(const TemplateValue& on, std::string_view name) {
    return Error{Errc::InvalidArgument,
                 "can't evaluate field " + std::string(name) + " in type " + std::string(type_name(on))};
}

}  // namespace

std::string humanize(double value) {
    if (value == 0 || !std::isfinite(value)) return four_digits(value);
    return std::abs(value) >= 1 ? scale_down(value, 1000, kLarge) : scale_up(value);
}

std::string humanize_1024(double value) {
    if (std::abs(value) <= 1 || !std::isfinite(value)) return four_digits(value);
    return scale_down(value, 1024, kBinary);
}

std::string humanize_duration(double seconds) {
    if (!std::isfinite(seconds)) return four_digits(seconds);
    if (seconds == 0) return four_digits(seconds) + "s";
    if (std::abs(seconds) < 1) return scale_up(seconds) + "s";
    const std::string sign = seconds < 0 ? "-" : "";
    const double size = std::abs(seconds);
    if (size < 60) return sign + four_digits(size) + "s";
    const auto whole = static_cast<std::int64_t>(std::min(size, 9e18));
    std::string out = std::to_string(whole / 60 % 60) + "m " + std::to_string(whole % 60) + "s";
    if (whole >= 3600) out = std::to_string(whole / 3600 % 24) + "h " + out;
    if (whole >= 24 * 3600) out = std::to_string(whole / (24 * 3600)) + "d " + out;
    return sign + out;
}

std::string humanize_percentage(double ratio) {
    return four_digits(ratio * 100) + "%";
}

Result<TemplateValue> call_method(const TemplateValue& on, std::string_view name, const Arguments& args) {
    if (const auto* span = std::get_if<SpanValue>(&on)) {
        if (!args.empty()) return no_method(on, name);
        const auto nanos = static_cast<double>(span->nanos);
        if (name == "Seconds") return TemplateValue(nanos / 1e9);
        if (name == "Minutes") return TemplateValue(nanos / 60e9);
        if (name == "Hours") return TemplateValue(nanos / 3600e9);
        if (name == "Milliseconds") return TemplateValue(span->nanos / 1'000'000);
        if (name == "Microseconds") return TemplateValue(span->nanos / 1'000);
        if (name == "Nanoseconds") return TemplateValue(span->nanos);
        if (name == "String") return TemplateValue(span_text(*span));
        return no_method(on, name);
    }
    const auto* time = std::get_if<TimeValue>(&on);
    if (time == nullptr) return no_method(on, name);
    if (name == "Format" && args.size() == 1 && std::holds_alternative<std::string>(args[0])) {
        return TemplateValue(format_time(*time, std::get<std::string>(args[0])));
    }
    if (name == "Add" && args.size() == 1 && std::holds_alternative<SpanValue>(args[0])) {
        return TemplateValue(TimeValue{time->millis + std::get<SpanValue>(args[0]).nanos / 1'000'000});
    }
    if (!args.empty()) return no_method(on, name);
    // The parts of a date are what Format says of them.
    constexpr std::array<std::pair<std::string_view, const char*>, 7> kNumbers{{{"Year", "2006"},
                                                                                {"Day", "2"},
                                                                                {"Hour", "15"},
                                                                                {"Minute", "4"},
                                                                                {"Second", "5"},
                                                                                {"YearDay", "002"},
                                                                                {"", ""}}};
    for (const auto& [method, layout] : kNumbers) {
        if (!method.empty() && method == name)
            return TemplateValue(std::int64_t{std::stoll(format_time(*time, layout))});
    }
    if (name == "Month") return TemplateValue(format_time(*time, "January"));
    if (name == "Weekday") return TemplateValue(format_time(*time, "Monday"));
    if (name == "Unix") return TemplateValue(time->millis / 1000 - (time->millis % 1000 < 0 ? 1 : 0));
    if (name == "UnixMilli") return TemplateValue(time->millis);
    if (name == "UTC" || name == "Local") return on;
    if (name == "String") return TemplateValue(time_text(*time));
    return no_method(on, name);
}

}  // namespace stoker::alert::internal
