#include "gateway/route/release_event.h"

#include <nlohmann/json.hpp>

namespace stoker::gateway {

using nlohmann::json;

json to_json(const ReleaseEvent& event) {
    json one = {{"v", 1},
                {"event", "release"},
                {"at_ms", to_millis(event.at)},
                {"kind", event.kind},
                {"name", event.name},
                {"from", event.from},
                {"to", event.to},
                {"by", event.by},
                {"reason", event.reason}};
    if (event.percent) one["percent"] = *event.percent;
    return one;
}

std::optional<ReleaseEvent> release_event_from(const json& one) {
    if (!one.is_object()) return {};
    const auto text = [&one](const char* key) {
        const auto found = one.find(key);
        return found != one.end() && found->is_string() ? found->get<std::string>() : std::string();
    };
    ReleaseEvent event;
    event.kind = text("kind");
    if (event.kind.empty()) return {};
    const auto at = one.find("at_ms");
    if (at != one.end() && at->is_number_integer()) event.at = from_millis(at->get<std::int64_t>());
    event.name = text("name");
    event.from = text("from");
    event.to = text("to");
    event.by = text("by");
    event.reason = text("reason");
    const auto percent = one.find("percent");
    if (percent != one.end() && percent->is_number()) event.percent = percent->get<double>();
    return event;
}

}  // namespace stoker::gateway
