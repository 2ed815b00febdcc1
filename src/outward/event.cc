#include "outward/event.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace stoker::outward {
namespace {

using nlohmann::json;

bool fits(std::string_view pattern, std::string_view type) {
    if (pattern == "*") return true;
    if (!pattern.ends_with(".*")) return pattern == type;
    return type.starts_with(pattern.substr(0, pattern.size() - 1));
}

std::string text(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::int64_t number(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

}  // namespace

std::string_view to_string(Severity severity) {
    switch (severity) {
        case Severity::Warning:
            return "warning";
        case Severity::Critical:
            return "critical";
        case Severity::Info:
            break;
    }
    return "info";
}

Severity severity_from(std::string_view name) {
    if (name == "critical") return Severity::Critical;
    return name == "warning" ? Severity::Warning : Severity::Info;
}

std::string to_json(const Event& event) {
    json data = json::parse(event.data, nullptr, false);
    if (!data.is_object()) data = json::object();
    const json whole{{"v", 1},
                     {"sequence", event.sequence},
                     {"id", event.id},
                     {"time", format_timestamp(event.at)},
                     {"at_ms", to_millis(event.at)},
                     {"type", event.type},
                     {"severity", to_string(event.severity)},
                     {"subject", event.subject},
                     {"summary", event.summary},
                     {"data", std::move(data)}};
    return whole.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<Event> event_from_json(std::string_view text_form) {
    const json whole = json::parse(text_form, nullptr, false);
    if (!whole.is_object()) return Error{Errc::InvalidArgument, "an event must be a JSON object"};
    Event event;
    event.type = text(whole, "type");
    if (event.type.empty()) return Error{Errc::InvalidArgument, "an event without a type"};
    event.sequence = static_cast<std::uint64_t>(std::max<std::int64_t>(0, number(whole, "sequence")));
    event.id = text(whole, "id");
    event.at = from_millis(number(whole, "at_ms"));
    event.severity = severity_from(text(whole, "severity"));
    event.subject = text(whole, "subject");
    event.summary = text(whole, "summary");
    const auto data = whole.find("data");
    if (data != whole.end() && data->is_object()) {
        event.data = data->dump(-1, ' ', false, json::error_handler_t::replace);
    }
    return event;
}

bool EventFilter::matches(const Event& event) const {
    if (event.severity < least) return false;
    return types.empty() || std::any_of(types.begin(), types.end(),
                                        [&](const std::string& pattern) { return fits(pattern, event.type); });
}

const std::vector<std::string>& event_types() {
    static const std::vector<std::string> all = {
        "alert.fired",      "alert.resolved",       "degradation.changed", "healing.finished",
        "healing.started",  "incident.escalated",   "incident.opened",     "incident.resolved",
        "incident.updated", "log.signature",        "replica.changed",     "route.changed",
        "stoker.reloaded",  "stoker.reload_failed", "stoker.started",      "stoker.test",
    };
    return all;
}

bool is_event_pattern(std::string_view pattern) {
    const auto& all = event_types();
    return std::any_of(all.begin(), all.end(), [&](const std::string& type) { return fits(pattern, type); });
}

}  // namespace stoker::outward
