#include "app/log_pipeline.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/id.h"

namespace stoker::app {
namespace {

using namespace std::chrono_literals;

TEST(LineBudget, LimitsTheAverageAndNoBatch) {
    LineBudget budget(100);
    const SteadyTime start{10s};
    EXPECT_TRUE(budget.take(5000, start));  // However large, while something is left.
    EXPECT_FALSE(budget.take(1, start));
    EXPECT_FALSE(budget.take(1, start + 40s));
    EXPECT_TRUE(budget.take(1, start + 49s));
    EXPECT_TRUE(LineBudget(0).take(1'000'000, start));
}

TEST(LogRow, HasATimeAndFits) {
    collect::LogEntry entry;
    entry.observed_ns = 7;
    entry.body = std::string(std::size_t{512} << 10, '\x01');
    entry.attributes = {{"a", "1"}, {"a", "2"}, {"b", std::string(std::size_t{400} << 10, '\x02')}};
    const records::LogRow row = log_row(entry);
    EXPECT_EQ(row.time_ns, 7);
    const std::vector<records::LogRow> rows{row};
    EXPECT_LE(records::to_json(std::span<const records::LogRow>(rows)).size(), records::kMaxTelemetryRowBytes);
    EXPECT_FALSE(row.body.empty());

    entry.body = "short";
    entry.attributes.pop_back();
    EXPECT_EQ(log_row(entry).attributes, R"({"a":"1"})");
}

TEST(LogPipeline, FailuresAreRecognisedStoredAndShown) {
    const auto folder = std::filesystem::temp_directory_path() / ("stoker-log-pipeline-" + random_hex(8));
    metrics::Registry registry;
    auto store = records::TelemetryStore::open(folder.string(), {}, registry);
    ASSERT_TRUE(store) << store.error().message;
    auto signatures = collect::Signatures::compile({{.name = "broke", .match = {"it (?P<how>\\w+) broke"}}});
    ASSERT_TRUE(signatures);
    api::LogTail tail;
    std::vector<std::string> told;
    const auto tell = [&told](const collect::SignatureSpec& spec, const records::LogRow& row) {
        told.push_back(spec.name + " " + row.body);
    };
    LogPipeline pipeline(**store, *signatures, 0, tail, tell, registry);
    const auto follower = tail.subscribe({.text = {"BROKE"}});

    std::vector<collect::LogEntry> entries(2);
    entries[0].body = "it nearly broke";
    entries[0].service = "app";
    entries[1].body = "fine";
    ASSERT_TRUE(pipeline.append(entries));

    const std::string followed = follower->take();
    EXPECT_NE(followed.find(R"("signature":"broke")"), std::string::npos) << followed;
    EXPECT_NE(followed.find(R"("signature.how":"nearly")"), std::string::npos) << followed;
    EXPECT_EQ(followed.find("fine"), std::string::npos);
    EXPECT_EQ(told, std::vector<std::string>{"broke it nearly broke"});
    EXPECT_EQ(*(*store)->load(now()), 2U);
    EXPECT_NE(registry.text().find(R"(stoker_log_signature_total{signature="broke",severity="error",service="app"} 1)"),
              std::string::npos);
    store->reset();
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace stoker::app
