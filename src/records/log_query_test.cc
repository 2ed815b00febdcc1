#include "records/log_query.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "records/telemetry_store.h"
#include "records/testing.h"

namespace stoker::records {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kStart = 1'700'000'000 * kSecond;

LogRow line(std::int64_t second, std::string body, std::string service = "app") {
    LogRow row;
    row.time_ns = row.observed_ns = kStart + second * kSecond;
    row.severity = 9;
    row.body = std::move(body);
    row.service = std::move(service);
    return row;
}

class LogQueryTest : public ::testing::Test {
protected:
    void SetUp() override {
        auto opened = TelemetryStore::open(directory_ / "telemetry", {}, registry_);
        ASSERT_TRUE(opened) << opened.error().message;
        store_ = *std::move(opened);
    }
    void store(const std::vector<LogRow>& rows) {
        ASSERT_TRUE(store_->append(rows));
        ASSERT_TRUE(store_->load(from_millis(kStart / 1'000'000)));
    }
    LogPage find(const LogFilter& filter) {
        LogPage page;
        const auto read = store_->read(Duration{5000}, [&](duck::Connection& connection) -> Result<Unit> {
            TRY(page, find_logs(connection, filter));
            return Unit{};
        });
        EXPECT_TRUE(read) << read.error().message;
        return page;
    }
    std::string bodies(const LogFilter& filter) {
        std::string out;
        for (const auto& log : find(filter).logs) out += (out.empty() ? "" : " ") + log.row.body;
        return out;
    }

    testing::TemporaryDirectory directory_;
    metrics::Registry registry_;
    std::unique_ptr<TelemetryStore> store_;
};

TEST_F(LogQueryTest, EveryFilter) {
    auto error = line(2, "Broke");
    error.severity = 17;
    error.trace_id = "0af7651916cd43dd8448eb211c80319c";
    error.signature = "cuda_out_of_memory";
    error.attributes = R"({"gpu":"3","note":"Hidden word"})";
    error.resource = R"({"k8s.pod.name":"p \"1\""})";
    auto other = line(3, "other", "db");
    other.source = "file";
    other.stream = "/x";
    store({line(1, "first"), error, other});

    const std::pair<LogFilter, const char*> rows[] = {
        {{}, "other Broke first"},
        {{.oldest_first = true}, "first Broke other"},
        {{.from_ns = kStart + 2 * kSecond}, "other Broke"},
        {{.to_ns = kStart + 2 * kSecond}, "first"},
        {{.service = "db"}, "other"},
        {{.not_service = "db"}, "Broke first"},
        {{.min_severity = 13}, "Broke"},
        {{.trace_id = "0af7651916cd43dd8448eb211c80319c"}, "Broke"},
        {{.signature = "any"}, "Broke"},
        {{.signature = "cuda_out_of_memory"}, "Broke"},
        {{.signature = "oom_kill"}, ""},
        {{.source = "file"}, "other"},
        {{.stream = "/x"}, "other"},
        {{.text = {"bro", "OKE"}}, "Broke"},
        {{.text = {"hidden WORD"}}, "Broke"},
        {{.text = {"x%_"}}, ""},
        {{.not_text = {"broke"}}, "other first"},
        {{.attributes = {{"gpu", "3"}}}, "Broke"},
        {{.attributes = {{"k8s.pod.name", "p \"1\""}}}, "Broke"},
        {{.not_attributes = {{"gpu", "3"}}}, "other first"},
        {{.limit = 2}, "other Broke"},
    };
    for (const auto& [filter, expected] : rows) EXPECT_EQ(bodies(filter), expected);
    // What comes in live is told apart in the same way.
    EXPECT_TRUE(matches({.min_severity = 13, .signature = "any", .text = {"BROKE"}}, error));
    EXPECT_FALSE(matches({.service = "db"}, error));
    EXPECT_FALSE(matches({.not_text = {"word"}}, error));
    EXPECT_FALSE(matches({.signature = "any"}, other));
}

TEST_F(LogQueryTest, PagesMeetWithoutGapOrOverlap) {
    std::vector<LogRow> rows;
    // Far apart, many of one moment, and out of order.
    for (int i = 0; i < 300; ++i) rows.push_back(line((i / 7) * (i % 3 == 0 ? 1 : 5000), std::to_string(i)));
    store(rows);
    for (const bool oldest_first : {false, true}) {
        LogFilter filter{.oldest_first = oldest_first, .limit = 11};
        std::vector<LogPlace> places;
        std::set<std::string> seen;
        for (;;) {
            const LogPage page = find(filter);
            for (const auto& log : page.logs) {
                places.push_back(log.place);
                seen.insert(log.row.body);
            }
            if (!page.next) break;
            filter.place = to_string(*page.next);
        }
        EXPECT_EQ(places.size(), 300U);
        EXPECT_EQ(seen.size(), 300U);
        if (!oldest_first) std::reverse(places.begin(), places.end());
        EXPECT_TRUE(std::is_sorted(places.begin(), places.end()));
    }
}

TEST_F(LogQueryTest, ASearchThatTakesTooLongSaysWhereToGoOn) {
    store({line(0, "first"), line(1000, "last")});
    for (const bool oldest_first : {false, true}) {
        LogFilter filter{.oldest_first = oldest_first, .budget = Duration{0}};
        std::string found;
        int searches = 0;
        for (bool more = true; more && searches < 100; ++searches) {
            const LogPage page = find(filter);
            for (const auto& log : page.logs) found += log.row.body + " ";
            more = page.next.has_value();
            if (more) filter.place = to_string(*page.next);
        }
        EXPECT_EQ(found, oldest_first ? "first last " : "last first ");
        EXPECT_EQ(searches, 17);  // A minute each.
        EXPECT_EQ(find({.text = {"first"}, .oldest_first = oldest_first}).logs.size(), 1U);
    }
}

TEST_F(LogQueryTest, ServicesByName) {
    store({line(1, "a", "x"), line(2, "b", "y"), line(3, "c", "x"), line(4, "d", "")});
    std::vector<LogCount> counts;
    ASSERT_TRUE(store_->read(Duration{5000}, [&](duck::Connection& connection) -> Result<Unit> {
        TRY(counts, log_services(connection, kStart));
        return Unit{};
    }));
    ASSERT_EQ(counts.size(), 2U);
    EXPECT_EQ(counts[0].name, "x");
    EXPECT_EQ(counts[0].lines, 2);
}

TEST(LogPlaces, AreText) {
    EXPECT_EQ(to_string(LogPlace{5, 7}), "5-7");
    EXPECT_EQ(parse_log_place("5-7")->row, 7);
    for (const char* text : {"", "5", "-7", "5-", "x-7", "5--7", "5-7x"}) EXPECT_FALSE(parse_log_place(text)) << text;
}

TEST(LogJson, IsOneLine) {
    auto row = line(0, "a\nb\"\xff");
    row.severity = 20;
    EXPECT_EQ(
        to_json(row, "5-7"),
        R"({"time_ns":"1700000000000000000","time":"2023-11-14T22:13:20.000Z","observed_ns":"1700000000000000000",)"
        R"("severity":"error","severity_number":20,"severity_text":"","body":"a\nb\")"
        "\xef\xbf\xbd"
        R"(","service":"app","trace_id":"","span_id":"","source":"","stream":"","signature":"","place":"5-7",)"
        R"("attributes":{},"resource":{}})");
}

}  // namespace
}  // namespace stoker::records
