#include "diagnose/incident.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

namespace stoker::diagnose {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 3> kKinds{"engine_down", "engine_hung", "alert"};
constexpr std::array<std::string_view, 5> kStatuses{"open", "awaiting_approval", "acting", "resolved", "escalated"};
constexpr std::array<std::string_view, 9> kPhases{"detect", "diagnose", "plan",     "approve", "act",
                                                  "verify", "resolve",  "escalate", "note"};

// Reads fields of one JSON object and remembers the first one that is missing or of the wrong kind.
class Reader {
public:
    explicit Reader(const json& object) : object_(object) {}

    std::string text(const char* key) {
        const json* value = find(key);
        if (value != nullptr && value->is_string()) return value->get<std::string>();
        return fail(key, "a text"), std::string();
    }
    double number(const char* key) {
        const json* value = find(key);
        if (value != nullptr && value->is_number()) return value->get<double>();
        return fail(key, "a number"), 0;
    }
    bool flag(const char* key) {
        const json* value = find(key);
        if (value != nullptr && value->is_boolean()) return value->get<bool>();
        return fail(key, "true or false"), false;
    }
    Timestamp time(const char* key) {
        const json* value = find(key);
        if (value != nullptr && value->is_number_integer()) return from_millis(value->get<std::int64_t>());
        return fail(key, "milliseconds"), Timestamp{};
    }
    template <typename E, std::size_t N>
    E name(const char* key, const std::array<std::string_view, N>& names) {
        const std::string found = text(key);
        for (std::size_t i = 0; i < N; ++i) {
            if (names[i] == found) return static_cast<E>(i);
        }
        return fail(key, "a known name"), E{};
    }
    // Calls `element` with a reader for each object of the list.
    template <typename F>
    void each(const char* key, F element) {
        const json* list = find(key);
        if (list == nullptr || !list->is_array()) return fail(key, "a list");
        for (const json& item : *list) {
            Reader inner(item);
            element(inner);
            if (!inner.problem_.empty()) problem_ = std::string(key) + ": " + inner.problem_;
        }
    }

    const std::string& problem() const { return problem_; }

private:
    const json* find(const char* key) const {
        if (!object_.is_object()) return nullptr;
        const auto found = object_.find(key);
        return found == object_.end() ? nullptr : &*found;
    }
    void fail(const char* key, const char* wanted) {
        if (problem_.empty()) problem_ = std::string(key) + ": " + wanted + " is needed";
    }

    const json& object_;
    std::string problem_;
};

json hypothesis_json(const Hypothesis& hypothesis) {
    json evidence = json::array();
    for (const Evidence& item : hypothesis.evidence) {
        evidence.push_back({{"text", item.text}, {"query", item.query}, {"value", item.value}});
    }
    return {{"cause", hypothesis.cause},
            {"summary", hypothesis.summary},
            {"confidence", hypothesis.confidence},
            {"evidence", std::move(evidence)}};
}

Hypothesis read_hypothesis(Reader& reader) {
    Hypothesis hypothesis;
    hypothesis.cause = reader.text("cause");
    hypothesis.summary = reader.text("summary");
    hypothesis.confidence = reader.number("confidence");
    reader.each("evidence", [&hypothesis](Reader& inner) {
        hypothesis.evidence.push_back({inner.text("text"), inner.text("query"), inner.text("value")});
    });
    return hypothesis;
}

TimelineEntry read_entry(Reader& reader) {
    TimelineEntry entry;
    entry.at = reader.time("at_ms");
    entry.phase = reader.name<Phase>("phase", kPhases);
    entry.text = reader.text("text");
    entry.actor = reader.text("actor");
    entry.ok = reader.flag("ok");
    return entry;
}

}  // namespace

std::string_view to_string(IncidentKind kind) {
    return kKinds[static_cast<std::size_t>(kind)];
}
std::string_view to_string(IncidentStatus status) {
    return kStatuses[static_cast<std::size_t>(status)];
}
std::string_view to_string(Phase phase) {
    return kPhases[static_cast<std::size_t>(phase)];
}

std::string to_json(const Incident& incident) {
    json hypotheses = json::array();
    for (const Hypothesis& hypothesis : incident.hypotheses) hypotheses.push_back(hypothesis_json(hypothesis));
    json timeline = json::array();
    for (const TimelineEntry& entry : incident.timeline) {
        timeline.push_back({{"at_ms", to_millis(entry.at)},
                            {"phase", to_string(entry.phase)},
                            {"text", entry.text},
                            {"actor", entry.actor},
                            {"ok", entry.ok}});
    }
    const json all = {{"id", incident.id},
                      {"kind", to_string(incident.kind)},
                      {"status", to_string(incident.status)},
                      {"severity", incident.severity},
                      {"title", incident.title},
                      {"replica", incident.replica},
                      {"pool", incident.pool},
                      {"policy", incident.policy},
                      {"opened_ms", to_millis(incident.opened_at)},
                      {"updated_ms", to_millis(incident.updated_at)},
                      {"resolved_ms", to_millis(incident.resolved_at)},
                      {"hypotheses", std::move(hypotheses)},
                      {"timeline", std::move(timeline)}};
    // Text from engines and their logs may not be UTF-8; a page must show it anyway.
    return all.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<Incident> incident_from_json(std::string_view text) {
    const json parsed = json::parse(text, nullptr, false);
    if (parsed.is_discarded()) return Error{Errc::InvalidArgument, "incident: not JSON"};
    Reader reader(parsed);
    Incident incident;
    incident.id = reader.text("id");
    incident.kind = reader.name<IncidentKind>("kind", kKinds);
    incident.status = reader.name<IncidentStatus>("status", kStatuses);
    incident.severity = reader.text("severity");
    incident.title = reader.text("title");
    incident.replica = reader.text("replica");
    incident.pool = reader.text("pool");
    incident.policy = reader.text("policy");
    incident.opened_at = reader.time("opened_ms");
    incident.updated_at = reader.time("updated_ms");
    incident.resolved_at = reader.time("resolved_ms");
    reader.each("hypotheses", [&incident](Reader& inner) { incident.hypotheses.push_back(read_hypothesis(inner)); });
    reader.each("timeline", [&incident](Reader& inner) { incident.timeline.push_back(read_entry(inner)); });
    if (!reader.problem().empty()) return Error{Errc::InvalidArgument, "incident: " + reader.problem()};
    return incident;
}

}  // namespace stoker::diagnose
