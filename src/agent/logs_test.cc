// Log files in the agent: failures counted, lines encoded, answers judged.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "agent/config_sources.h"
#include "agent/log_counter.h"
#include "agent/log_shipper.h"
#include "agent/log_source.h"
#include "agent/testing.h"
#include "base/file.h"
#include "collect/logs/testing.h"

namespace stoker::agent {
namespace {

using collect::LogEntry;
using nlohmann::json;

class Samples final : public collect::SampleSink {
public:
    void append(const std::vector<tsdb::SeriesSample>& samples) override {
        for (const auto& one : samples) values[one.labels.text()] = one.sample.value;
    }
    // Of the only series whose labels have both texts; -1: there is none.
    double value(const std::string& a, const std::string& b) const {
        for (const auto& [labels, value] : values) {
            if (labels.find(a) != std::string::npos && labels.find(b) != std::string::npos) return value;
        }
        return -1;
    }
    std::map<std::string, double> values;
};

LogsConfig follow(const std::string& path) {
    LogsConfig config;
    config.files.push_back({.paths = {path}, .service = "vllm", .from = "beginning"});
    return config;
}

TEST(AgentLogs, FailuresAreCounted) {
    const testing::TemporaryFolder folder;
    const std::string file = folder.path() + "/engine.log";
    std::ofstream(file) << "INFO all is well\nNVRM: Xid (PCI:0000:3b:00): 79, GPU has fallen off the bus.\n";
    const auto signatures = load_signatures({});
    ASSERT_TRUE(signatures) << signatures.error().message;
    LogSource source({"logs", follower_options(follow(file), folder.path() + "/places.json"), "n1", {}},
                     [&](metrics::Registry& registry) { return std::make_unique<LogCounter>(*signatures, registry); });
    Samples samples;
    // The last line is an entry once nothing has come after it for a while.
    for (int i = 0; i < 200 && samples.value("stoker_log_signature_total", "gpu_xid") < 1; ++i) {
        ASSERT_TRUE(source.collect(now(), samples));
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    EXPECT_EQ(samples.value("stoker_log_signature_total", "gpu_xid"), 1);
    EXPECT_GT(samples.value("stoker_log_signature_last_seen_timestamp_seconds", "service=\"vllm\""), 1e9);
    EXPECT_EQ(samples.value("stoker_log_signature_total", "instance=\"n1\""), 1);
}

TEST(AgentLogs, WhatIsWrittenForRulesAloneGoesNowhereElse) {
    const testing::TemporaryFolder folder;
    Samples all;
    Samples local;
    const auto keep = [&local](const std::vector<tsdb::SeriesSample>& samples) { local.append(samples); };
    LogSource source({"logs", follower_options(follow(folder.path() + "/none"), ""), "n1", keep},
                     [](metrics::Registry&) { return std::make_unique<collect::testing::RememberingLogSink>(); });
    ASSERT_TRUE(source.collect(now(), all));
    EXPECT_TRUE(all.values.empty());
    EXPECT_FALSE(local.values.empty());
}

TEST(AgentLogs, SignatureFilesAreChecked) {
    const testing::TemporaryFolder folder;
    const std::string file = folder.path() + "/own.yaml";
    ASSERT_TRUE(write_file_atomic(
        file, "version: 1\nsignatures:\n- {name: gpu_xid, summary: s, action: a, match: ['my own words']}\n"));
    const auto own = load_signatures({file});
    ASSERT_TRUE(own) << own.error().message;
    collect::Signatures::Found found;
    EXPECT_TRUE((*own)->find("here are my own words", found));
    ASSERT_TRUE(write_file_atomic(file, "version: 1\nsignatures:\n- {name: x, matches: ['(']}\n"));
    const auto wrong = load_signatures({file});
    ASSERT_FALSE(wrong);
    EXPECT_NE(wrong.error().message.find("own.yaml:3"), std::string::npos) << wrong.error().message;
    EXPECT_FALSE(load_signatures({folder.path() + "/none.yaml"}));
}

TEST(AgentLogs, LinesAsOtlp) {
    LogEntry one;
    one.time_ns = 5;
    one.observed_ns = 7;
    one.severity = 17;
    one.severity_text = "ERROR";
    one.body = "it \"broke\"";
    one.trace_id = std::string(32, 'a');
    one.service = "vllm";
    one.stream = "/var/log/vllm.log";
    one.attributes = {{"rank", "3"}};
    one.resource = {{"k8s.pod.name", "p"}};
    LogEntry two = one;
    two.time_ns = 0;
    two.body = "bytes \xff";
    const auto request = json::parse(encode_otlp_logs({one, two}, "node-7"));
    ASSERT_EQ(request["resourceLogs"].size(), 1U);
    const json& resource = request["resourceLogs"][0];
    EXPECT_EQ(resource["resource"]["attributes"][0]["value"]["stringValue"], "node-7");
    EXPECT_EQ(resource["resource"]["attributes"][1]["value"]["stringValue"], "vllm");
    EXPECT_EQ(resource["scopeLogs"][0]["scope"]["name"], "/var/log/vllm.log");
    const json& records = resource["scopeLogs"][0]["logRecords"];
    ASSERT_EQ(records.size(), 2U);
    EXPECT_EQ(records[0]["timeUnixNano"], "5");
    EXPECT_EQ(records[0]["severityNumber"], 17);
    EXPECT_EQ(records[0]["body"]["stringValue"], "it \"broke\"");
    EXPECT_EQ(records[0]["traceId"], std::string(32, 'a'));
    EXPECT_EQ(records[0]["attributes"].size(), 2U);
    EXPECT_EQ(records[1]["timeUnixNano"], "7");  // Of a line that says no time: when it was read.
}

TEST(AgentLogs, AnswersAreJudged) {
    const auto answer = [](int status, const std::string& body = "") { return net::Response{status, {}, body}; };
    EXPECT_FALSE(judge_logs(answer(200, "{}"))->refused);
    EXPECT_EQ(judge_logs(answer(200, "{}"))->why, "");
    EXPECT_NE(judge_logs(answer(200, R"({"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"too large"}})"))
                  ->why.find("too large"),
              std::string::npos);
    EXPECT_EQ(judge_logs(answer(204))->why, "");
    EXPECT_EQ(judge_logs(answer(200, R"({"partialSuccess":3})"))->why, "");
    EXPECT_TRUE(judge_logs(answer(400, "no"))->refused);
    // What somebody will correct, or what passes, loses nothing.
    for (const int status : {401, 403, 404, 429, 500, 503}) EXPECT_FALSE(judge_logs(answer(status))) << status;
    EXPECT_FALSE(judge_logs(Error{Errc::Unavailable, "connection refused"}));
}

TEST(AgentLogs, AReceiverThatIsAwayIsNotAskedAgainAtOnce) {
    metrics::Registry registry;
    LogShipper shipper({.url = "http://127.0.0.1:1/v1/logs", .instance = "n1"}, registry);
    EXPECT_FALSE(shipper.append({LogEntry{}}));
    EXPECT_FALSE(shipper.append({LogEntry{}}));
    EXPECT_EQ(testing::metric(registry, "stoker_agent_log_lines_total", "put off"), 1);
}

}  // namespace
}  // namespace stoker::agent
