// `stoker incidents`.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/ask.h"
#include "app/table.h"
#include "base/time.h"

namespace stoker::app {
namespace {

using nlohmann::json;

std::string time_at(const json& object, const char* key) {
    auto millis = object.value(key, std::int64_t{0});
    return millis == 0 ? "-" : format_timestamp(from_millis(millis));
}

void print_one(const json& incident) {
    std::printf("%s  %s\n", incident.value("id", "").c_str(), incident.value("title", "").c_str());
    std::printf("%s, %s, %s; opened %s, resolved %s\n", incident.value("kind", "").c_str(),
                incident.value("severity", "").c_str(), incident.value("status", "").c_str(),
                time_at(incident, "opened_ms").c_str(), time_at(incident, "resolved_ms").c_str());
    for (const auto& hypothesis : incident.value("hypotheses", json::array())) {
        std::printf("\n%3.0f %%  %s: %s\n", hypothesis.value("confidence", 0.0) * 100,
                    hypothesis.value("cause", "").c_str(), hypothesis.value("summary", "").c_str());
        for (const auto& evidence : hypothesis.value("evidence", json::array())) {
            std::printf("       - %s\n", evidence.value("text", "").c_str());
            if (!evidence.value("query", "").empty()) {
                std::printf("         %s = %s\n", evidence.value("query", "").c_str(),
                            evidence.value("value", "").c_str());
            }
        }
    }
    std::printf("\n");
    Table table({"TIME", "PHASE", "BY", "WHAT"});
    for (const auto& entry : incident.value("timeline", json::array())) {
        table.add({time_at(entry, "at_ms"), entry.value("phase", ""), entry.value("actor", ""),
                   (entry.value("ok", true) ? "" : "FAILED: ") + entry.value("text", "")});
    }
    std::fputs(table.text().c_str(), stdout);
}

void print_list(const json& incidents) {
    Table table({"OPENED", "ID", "KIND", "STATUS", "REPLICA", "RESOLVED", "TITLE"});
    for (const auto& incident : incidents) {
        table.add({time_at(incident, "opened_ms"), incident.value("id", ""), incident.value("kind", ""),
                   incident.value("status", ""), incident.value("replica", ""), time_at(incident, "resolved_ms"),
                   incident.value("title", "")});
    }
    std::fputs(table.empty() ? "no incidents\n" : table.text().c_str(), stdout);
}

}  // namespace

int incidents(const IncidentsOptions& options) {
    bool decide = !options.approve.empty() || !options.reject.empty();
    bool one = decide || !options.id.empty();
    Result<json> answer;
    if (decide) {
        const auto& id = options.approve.empty() ? options.reject : options.approve;
        answer =
            ask(options.client, "POST", "/api/v1/incidents/" + id + (options.approve.empty() ? "/reject" : "/approve"),
                {}, R"({"by":"command line"})");
    } else if (one) {
        answer = ask(options.client, "GET", "/api/v1/incidents/" + options.id);
    } else {
        answer = ask(options.client, "GET", "/api/v1/incidents",
                     {{"limit", std::to_string(options.limit)}, {"status", options.open_only ? "open" : ""}});
    }
    if (!answer) return fail(answer.error());
    if (options.client.output == Output::Json) {
        std::printf("%s\n", answer->dump().c_str());
    } else if (one) {
        print_one(*answer);
    } else {
        print_list(answer->at("incidents"));
    }
    return 0;
}

}  // namespace stoker::app
