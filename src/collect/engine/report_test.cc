#include "collect/engine/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace stoker::collect {
namespace {

using ::testing::HasSubstr;

EngineReport report_of(const std::string& kind, const std::vector<Canonical::Value>& values) {
    EngineReport report;
    report.url = "http://h:1";
    report.identity.kind = kind;
    const Adapter* adapter = Adapters::built_in()->find(kind);
    report.title = adapter->title;
    take_values(report, adapter, values);
    return report;
}

TEST(EngineReport, RecognisedAndMissing) {
    const auto report =
        report_of("tgi", {{"llm_engine_queue_duration_seconds_bucket", {{"le", "1"}, {"source", "native"}}, 4, "q"},
                          {"llm_engine_queue_duration_seconds_count", {{"source", "native"}}, 4, "q"},
                          {"llm_engine_queue_duration_seconds_sum", {{"source", "native"}}, 2, "q"},
                          {"llm_engine_requests_running", {{"model", "m"}, {"source", "native"}}, 3, "r"}});
    const auto parsed = nlohmann::json::parse(report_json(report));
    ASSERT_EQ(parsed["recognised"].size(), 2U);
    EXPECT_EQ(parsed["recognised"][0]["value"], "4 times, mean 0.5 s");
    EXPECT_EQ(parsed["recognised"][1]["labels"], "model=\"m\"");
    std::map<std::string, std::string> why;
    for (const auto& rule : parsed["missing"]) why[rule["name"]] = rule["why"];
    EXPECT_EQ(why["llm_engine_time_to_first_token_seconds"], "TGI does not measure it");
    EXPECT_EQ(why["llm_engine_requests_waiting"], "its page has none of what it is made of");
    EXPECT_FALSE(why.contains("llm_engine_requests_running"));
    EXPECT_TRUE(report.good());
    EXPECT_THAT(report_text(report), HasSubstr("Nothing looks wrong."));
}

TEST(EngineReport, TokensOfOneRequest) {
    AskedTokens tokens{10, 10, 16, 16, true, true};
    EXPECT_TRUE(compare_tokens(tokens).empty());
    tokens.generation_counted = 32;
    ASSERT_EQ(compare_tokens(tokens).size(), 1U);
    EXPECT_EQ(compare_tokens(tokens)[0].severity, Severity::Note) << "others may use it";
    tokens.generation_counted = 0;
    EXPECT_EQ(compare_tokens(tokens)[0].severity, Severity::Warning);
    tokens.generation_known = false;
    EXPECT_TRUE(compare_tokens(tokens).empty());
    EngineReport report;
    report.findings = {{FindingCode::CountDisagrees, Severity::Warning, "x", "is wrong", "Do something."}};
    EXPECT_FALSE(report.good());
    EXPECT_THAT(report_text(report), HasSubstr("warning count_disagrees x: is wrong.\n      Do something.\n"));
}

}  // namespace
}  // namespace stoker::collect
