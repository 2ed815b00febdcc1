#include "diagnose/incident.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace stoker::diagnose {
namespace {

Incident full() {
    Incident incident;
    incident.id = "inc_1";
    incident.kind = IncidentKind::EngineHung;
    incident.status = IncidentStatus::AwaitingApproval;
    incident.severity = "critical";
    incident.title = "chat/127.0.0.1:9001 hangs";
    incident.replica = "chat/127.0.0.1:9001";
    incident.pool = "chat";
    incident.policy = "restart-dead-engine";
    incident.opened_at = from_millis(1000);
    incident.updated_at = from_millis(2000);
    incident.hypotheses = {{"engine_hung_no_progress", "It hangs.", 0.9, {{"4 streams silent", "up == 1", "1"}}}};
    incident.timeline = {{from_millis(1000), Phase::Detect, "No progress for 10 s.", "gateway", true},
                         {from_millis(1500), Phase::Act, "Restart failed.", "policy restart-dead-engine", false}};
    return incident;
}

TEST(Incident, JsonHasTheFieldsOfTheApi) {
    const auto json = nlohmann::json::parse(to_json(full()));
    EXPECT_EQ(json["kind"], "engine_hung");
    EXPECT_EQ(json["status"], "awaiting_approval");
    EXPECT_EQ(json["opened_ms"], 1000);
    EXPECT_EQ(json["resolved_ms"], 0);
    EXPECT_EQ(json["hypotheses"][0]["evidence"][0]["query"], "up == 1");
    EXPECT_EQ(json["timeline"][1]["phase"], "act");
    EXPECT_EQ(json["timeline"][1]["ok"], false);
}

TEST(Incident, JsonRoundTrip) {
    const std::string once = to_json(full());
    const auto back = incident_from_json(once);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(to_json(*back), once);
}

TEST(Incident, EveryNameSurvivesTheRoundTrip) {
    for (int status = 0; status <= static_cast<int>(IncidentStatus::Escalated); ++status) {
        for (int phase = 0; phase <= static_cast<int>(Phase::Note); ++phase) {
            Incident incident = full();
            incident.status = static_cast<IncidentStatus>(status);
            incident.timeline[0].phase = static_cast<Phase>(phase);
            const auto back = incident_from_json(to_json(incident));
            ASSERT_TRUE(back) << back.error().message;
            EXPECT_EQ(back->status, incident.status);
            EXPECT_EQ(back->timeline[0].phase, incident.timeline[0].phase);
        }
    }
}

TEST(Incident, TextThatIsNotUtf8IsStillWritten) {
    Incident incident = full();
    incident.timeline[0].text = "log: \xff\xfe";
    EXPECT_TRUE(incident_from_json(to_json(incident)));
}

TEST(Incident, BadJsonSaysWhatIsWrong) {
    auto without = nlohmann::json::parse(to_json(full()));
    without["timeline"][0]["phase"] = "dance";
    const std::pair<std::string, std::string> rows[] = {
        {"", "not JSON"},
        {"[]", "id"},
        {"{}", "id"},
        {R"({"id":7})", "id"},
        {without.dump(), "timeline: phase: a known name is needed"},
    };
    for (const auto& [text, want] : rows) {
        const auto result = incident_from_json(text);
        ASSERT_FALSE(result) << text;
        EXPECT_NE(result.error().message.find(want), std::string::npos) << result.error().message;
    }
}

}  // namespace
}  // namespace stoker::diagnose
