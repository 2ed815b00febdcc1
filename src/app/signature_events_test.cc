#include "app/signature_events.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/id.h"

namespace stoker::app {
namespace {

using namespace std::chrono_literals;

TEST(SignatureEvents, OneAMinuteSaysHowManyThereWere) {
    const auto folder = std::filesystem::temp_directory_path() / ("stoker-signature-events-" + random_hex(8));
    std::filesystem::create_directories(folder);
    metrics::Registry registry;
    auto log = outward::EventLog::open(folder.string(), {}, registry);
    ASSERT_TRUE(log) << log.error().message;
    SignatureEvents events(**log);
    collect::SignatureSpec oom;
    oom.name = "oom";
    oom.summary = "No memory.";
    const Timestamp start = from_millis(1'800'000'000'000);
    records::LogRow line;
    line.service = "vllm";
    line.body = "cut \xC3";  // In the middle of a character.
    const auto occur = [&](Duration after, Duration age = 0ms) {
        line.time_ns = to_millis(start + after - age) * 1'000'000;
        events.tell(oom, line, start + after);
    };
    occur(0s);
    occur(1s);
    occur(59s);
    occur(60s);
    occur(200s, 2h);  // Of the past.
    line.service = "other";
    occur(61s);

    const auto told = (*log)->read(1, 10);
    ASSERT_TRUE(told) << told.error().message;
    ASSERT_EQ(told->size(), 3U);
    const auto& second = (*told)[1];
    EXPECT_EQ(second.type, "log.signature");
    EXPECT_EQ(second.severity, outward::Severity::Warning);
    EXPECT_EQ(second.subject, "vllm");
    EXPECT_EQ(second.summary, "vllm: No memory.");
    const auto data = nlohmann::json::parse(second.data);
    EXPECT_EQ(data["occurrences"], 3);
    EXPECT_EQ(data["signature"], "oom");
    EXPECT_EQ((*told)[2].subject, "other");
    log->reset();
    std::filesystem::remove_all(folder);
}

TEST(SignatureEvents, TypeIsOneThatFiltersKnow) {
    EXPECT_TRUE(outward::is_event_pattern("log.signature"));
}

}  // namespace
}  // namespace stoker::app
