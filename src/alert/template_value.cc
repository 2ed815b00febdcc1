#include "alert/template_value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <utility>

namespace stoker::alert::internal {
namespace {

std::string float_text(double number) {
    if (std::isnan(number)) return "NaN";
    if (std::isinf(number)) return number > 0 ? "+Inf" : "-Inf";
    if (number == 0) return std::signbit(number) ? "-0" : "0";
    const double size = std::abs(number);
    std::array<char, 64> buffer{};
    const auto style = size < 1e-4 || size >= 1e6 ? std::chars_format::scientific : std::chars_format::fixed;
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, style);
    return {buffer.data(), end.ptr};
}

// Shared parts can make a small value large in print: no text grows past this by much.
constexpr std::size_t kMostText = std::size_t{1} << 20;

void append_text(std::string& out, const TemplateValue& value);

void append_map(std::string& out, const MapValue& map) {
    const bool is_struct = map.kind == MapValue::Kind::Struct;
    out += is_struct ? "{" : "map[";
    bool first = true;
    for (const auto& [key, value] : map.entries) {
        if (out.size() > kMostText) return;
        if (!std::exchange(first, false)) out += ' ';
        if (!is_struct) out += key + ":";
        append_text(out, value);
    }
    out += is_struct ? '}' : ']';
}

void append_list(std::string& out, const ListValue& list) {
    out += '[';
    for (std::size_t i = 0; i < list.elements.size() && out.size() <= kMostText; ++i) {
        if (i > 0) out += ' ';
        append_text(out, list.elements[i]);
    }
    out += ']';
}

struct AppendText {
    std::string& out;
    void operator()(Nothing) const { out += "<nil>"; }
    void operator()(bool value) const { out += value ? "true" : "false"; }
    void operator()(std::int64_t value) const { out += std::to_string(value); }
    void operator()(double value) const { out += float_text(value); }
    void operator()(const std::string& value) const { out += value; }
    void operator()(const MapPtr& value) const { append_map(out, *value); }
    void operator()(const ListPtr& value) const { append_list(out, *value); }
    void operator()(TimeValue value) const { out += time_text(value); }
    void operator()(SpanValue value) const { out += span_text(value); }
};

void append_text(std::string& out, const TemplateValue& value) {
    std::visit(AppendText{out}, value);
}

struct IsTrue {
    bool operator()(Nothing) const { return false; }
    bool operator()(bool value) const { return value; }
    bool operator()(std::int64_t value) const { return value != 0; }
    bool operator()(double value) const { return value != 0; }
    bool operator()(const std::string& value) const { return !value.empty(); }
    bool operator()(const MapPtr& value) const {
        return value->kind == MapValue::Kind::Struct || !value->entries.empty();
    }
    bool operator()(const ListPtr& value) const { return !value->elements.empty(); }
    bool operator()(TimeValue) const { return true; }
    bool operator()(SpanValue) const { return true; }  // A pointer, in Prometheus.
};

std::string padded(std::int64_t number, std::size_t width) {
    std::string text = std::to_string(number);
    if (text.size() < width) text.insert(0, width - text.size(), '0');
    return text;
}

// The calendar's view of a time.
struct Civil {
    std::int64_t year = 0;
    unsigned month = 0;
    unsigned day = 0;
    unsigned weekday = 0;
    int year_day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
    int millis = 0;
};

Civil civil_of(TimeValue time) {
    using namespace std::chrono;
    const sys_time<milliseconds> point{milliseconds{time.millis}};
    const auto days = floor<std::chrono::days>(point);
    const year_month_day date{days};
    const auto rest = point - days;
    const auto first = sys_days{date.year() / January / 1};
    Civil civil;
    civil.year = static_cast<int>(date.year());
    civil.month = static_cast<unsigned>(date.month());
    civil.day = static_cast<unsigned>(date.day());
    civil.weekday = weekday{days}.c_encoding();
    civil.year_day = static_cast<int>((days - first).count()) + 1;
    const std::int64_t millis = duration_cast<milliseconds>(rest).count();
    civil.hour = static_cast<int>(millis / 3'600'000);
    civil.minute = static_cast<int>(millis / 60'000 % 60);
    civil.second = static_cast<int>(millis / 1000 % 60);
    civil.millis = static_cast<int>(millis % 1000);
    return civil;
}

constexpr std::array<std::string_view, 12> kMonths{"January",   "February", "March",    "April",
                                                   "May",       "June",     "July",     "August",
                                                   "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 7> kDays{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                "Thursday", "Friday", "Saturday"};

// What stands in a layout for each part of a time; where one is another's beginning, the longer comes first.
struct Part {
    std::string_view layout;
    std::string (*text)(const Civil&);
};
constexpr Part kParts[] = {
    {"January", [](const Civil& c) { return std::string(kMonths[c.month - 1]); }},
    {"Jan", [](const Civil& c) { return std::string(kMonths[c.month - 1].substr(0, 3)); }},
    {"Monday", [](const Civil& c) { return std::string(kDays[c.weekday]); }},
    {"Mon", [](const Civil& c) { return std::string(kDays[c.weekday].substr(0, 3)); }},
    {"MST", [](const Civil&) { return std::string("UTC"); }},
    {"2006", [](const Civil& c) { return padded(c.year, 4); }},
    {"-07:00", [](const Civil&) { return std::string("+00:00"); }},
    {"-0700", [](const Civil&) { return std::string("+0000"); }},
    {"Z07:00", [](const Civil&) { return std::string("Z"); }},
    {"Z0700", [](const Civil&) { return std::string("Z"); }},
    {"002", [](const Civil& c) { return padded(c.year_day, 3); }},
    {"01", [](const Civil& c) { return padded(c.month, 2); }},
    {"02", [](const Civil& c) { return padded(c.day, 2); }},
    {"03", [](const Civil& c) { return padded(c.hour % 12 == 0 ? 12 : c.hour % 12, 2); }},
    {"04", [](const Civil& c) { return padded(c.minute, 2); }},
    {"05", [](const Civil& c) { return padded(c.second, 2); }},
    {"06", [](const Civil& c) { return padded(c.year % 100, 2); }},
    {".000", [](const Civil& c) { return "." + padded(c.millis, 3); }},
    {"15", [](const Civil& c) { return padded(c.hour, 2); }},
    {"PM", [](const Civil& c) { return std::string(c.hour < 12 ? "AM" : "PM"); }},
    {"pm", [](const Civil& c) { return std::string(c.hour < 12 ? "am" : "pm"); }},
    {"_2", [](const Civil& c) { return (c.day < 10 ? " " : "") + std::to_string(c.day); }},
    {"1", [](const Civil& c) { return std::to_string(c.month); }},
    {"2", [](const Civil& c) { return std::to_string(c.day); }},
    {"3", [](const Civil& c) { return std::to_string(c.hour % 12 == 0 ? 12 : c.hour % 12); }},
    {"4", [](const Civil& c) { return std::to_string(c.minute); }},
    {"5", [](const Civil& c) { return std::to_string(c.second); }},
};

}  // namespace

MapPtr text_map(const tsdb::Labels& labels) {
    auto map = std::make_shared<MapValue>();
    for (const auto& [name, value] : labels) map->entries.emplace(name, value);
    return map;
}

MapPtr text_map(const std::map<std::string, std::string>& texts) {
    auto map = std::make_shared<MapValue>();
    for (const auto& [name, value] : texts) map->entries.emplace(name, value);
    return map;
}

MapPtr sample_value(const tsdb::Labels& labels, TemplateValue value) {
    auto sample = std::make_shared<MapValue>();
    sample->kind = MapValue::Kind::Struct;
    sample->entries.emplace("Labels", text_map(labels));
    sample->entries.emplace("Value", std::move(value));
    return sample;
}

std::string to_text(const TemplateValue& value) {
    std::string out;
    append_text(out, value);
    return out;
}

int nesting(const TemplateValue& value) {
    const auto* map = std::get_if<MapPtr>(&value);
    return map != nullptr ? (*map)->nesting : 0;
}

bool is_true(const TemplateValue& value) {
    return std::visit(IsTrue{}, value);
}

std::string_view type_name(const TemplateValue& value) {
    constexpr std::array<std::string_view, 9> kNames{
        "nil",       "bool",         "int", "float64", "string", "map[string]string", "template.queryResult",
        "time.Time", "time.Duration"};
    if (const auto* map = std::get_if<MapPtr>(&value)) {
        if ((*map)->kind == MapValue::Kind::Anything) return "map[string]interface {}";
        if ((*map)->kind == MapValue::Kind::Struct) {
            return (*map)->entries.contains("ExternalURL")
                       ? "struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; "
                         "Value float64 }"
                       : "*template.sample";
        }
    }
    return kNames[value.index()];
}

std::string time_text(TimeValue time) {
    const Civil civil = civil_of(time);
    std::string out = padded(civil.year, 4) + "-" + padded(civil.month, 2) + "-" + padded(civil.day, 2) + " " +
                      padded(civil.hour, 2) + ":" + padded(civil.minute, 2) + ":" + padded(civil.second, 2);
    if (civil.millis != 0) {
        std::string fraction = padded(civil.millis, 3);
        while (fraction.back() == '0') fraction.pop_back();
        out += "." + fraction;
    }
    return out + " +0000 UTC";
}

std::string span_text(SpanValue span) {
    if (span.nanos == 0) return "0s";
    const std::string sign = span.nanos < 0 ? "-" : "";
    const std::uint64_t nanos =
        span.nanos < 0 ? 0 - static_cast<std::uint64_t>(span.nanos) : static_cast<std::uint64_t>(span.nanos);
    const auto decimal = [](std::uint64_t number, std::uint64_t unit) {
        std::string text = std::to_string(number / unit);
        if (number % unit == 0) return text;
        std::string fraction = std::to_string(unit + number % unit).substr(1);
        while (fraction.back() == '0') fraction.pop_back();
        return text + "." + fraction;
    };
    if (nanos < 1'000) return sign + std::to_string(nanos) + "ns";
    if (nanos < 1'000'000) return sign + decimal(nanos, 1'000) + "µs";
    if (nanos < 1'000'000'000) return sign + decimal(nanos, 1'000'000) + "ms";
    constexpr std::uint64_t kMinute = 60'000'000'000;
    std::string out = decimal(nanos % kMinute, 1'000'000'000) + "s";
    const std::uint64_t minutes = nanos / kMinute;
    if (minutes > 0) out = std::to_string(minutes % 60) + "m" + out;
    if (minutes >= 60) out = std::to_string(minutes / 60) + "h" + out;
    return sign + out;
}

std::string format_time(TimeValue time, std::string_view layout) {
    const Civil civil = civil_of(time);
    std::string out;
    while (!layout.empty()) {
        const auto part = std::find_if(std::begin(kParts), std::end(kParts),
                                       [&](const Part& one) { return layout.starts_with(one.layout); });
        if (part == std::end(kParts)) {
            out += layout.front();
            layout.remove_prefix(1);
            continue;
        }
        out += part->text(civil);
        layout.remove_prefix(part->layout.size());
    }
    return out;
}

}  // namespace stoker::alert::internal
