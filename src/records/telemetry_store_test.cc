#include "records/telemetry_store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "records/duck.h"
#include "records/testing.h"

namespace stoker::records {
namespace {

using testing::TemporaryDirectory;

const Timestamp kNow = now();

SpanRow span(const std::string& trace_id, bool error = false) {
    SpanRow row;
    row.trace_id = trace_id;
    row.span_id = "00f067aa0ba902b7";
    row.name = "chat \"tiny\"";
    row.kind = "client";
    row.service = "app";
    row.start_ns = to_millis(kNow) * 1'000'000;
    row.duration_ns = 5'000'000;
    row.attributes = R"({"gen_ai.request.model":"tiny","n":1})";
    row.model = "tiny";
    row.output_tokens = 20;
    row.error = error;
    return row;
}

LogRow line(const std::string& body, Timestamp time = kNow) {
    LogRow row;
    row.time_ns = to_millis(time) * 1'000'000 + 7;
    row.severity = 17;
    row.severity_text = "ERROR";
    row.body = body;
    row.source = "file";
    return row;
}

const std::string kKept = "4bf92f3577b34da6a300000000000001";
const std::string kDropped = "4bf92f3577b34da6a3ffffffffffffff";

class TelemetryStoreTest : public ::testing::Test {
protected:
    void open(TelemetryOptions options = {}) {
        store_.reset();
        auto opened = TelemetryStore::open(directory_ / "telemetry", options, registry_);
        ASSERT_TRUE(opened) << opened.error().message;
        store_ = *std::move(opened);
    }
    void load(Timestamp time = now()) {
        const auto loaded = store_->load(time);
        ASSERT_TRUE(loaded) << loaded.error().message;
    }
    std::int64_t count(const std::string& sql) {
        std::int64_t value = -1;
        const auto read = store_->read(Duration{10'000}, [&](duck::Connection& connection) -> Result<Unit> {
            TRY(const auto found, connection.integer(sql));
            value = found.value_or(-2);
            return Unit{};
        });
        EXPECT_TRUE(read) << read.error().message;
        return value;
    }

    TemporaryDirectory directory_;
    metrics::Registry registry_;
    std::unique_ptr<TelemetryStore> store_;
};

TEST(TelemetryJson, ComesBackAsItWas) {
    SpanRow one = span(kKept);
    one.weight = 2.5;
    one.decided = true;
    one.events = R"([{"time_ns":1,"name":"e","attributes":{}}])";
    const std::vector<SpanRow> rows{one, SpanRow{}};
    const std::string json = to_json(rows, "journal:7");
    const auto batch = span_batch_from_json(json);
    ASSERT_TRUE(batch) << batch.error().message;
    EXPECT_EQ(batch->marker, "journal:7");
    EXPECT_EQ(to_json(batch->spans, batch->marker), json);
    ASSERT_EQ(batch->spans.size(), 2u);
    EXPECT_EQ(batch->spans[0].name, one.name);
    EXPECT_EQ(batch->spans[0].attributes, one.attributes);
    EXPECT_EQ(batch->spans[0].weight, 2.5);
    EXPECT_EQ(batch->spans[1].input_tokens, kUnknownTokens);

    const std::vector<LogRow> logs{line("out of memory\n\"x\"")};
    const auto again = logs_from_json(to_json(logs));
    ASSERT_TRUE(again);
    EXPECT_EQ((*again)[0].body, logs[0].body);
    EXPECT_EQ((*again)[0].severity, 17);
}

TEST(TelemetryJson, SaysWhatIsWrong) {
    for (const char* text : {"", "[]", R"({"spans":{}})", R"({"spans":[{"name":5}]})", R"({"spans":[]} x)",
                             R"({"spans":[{"attributes":{"a":}}]})", R"({"spans":[{"weight":-1}]})"}) {
        const auto batch = span_batch_from_json(text);
        ASSERT_FALSE(batch) << text;
        EXPECT_EQ(batch.error().code, Errc::Corruption);
    }
    EXPECT_TRUE(span_batch_from_json(R"({"v":2,"spans":[{"later":{"x":[1]}}],"more":1})"));
}

TEST_F(TelemetryStoreTest, KeepsSpansAndLogs) {
    open();
    ASSERT_TRUE(store_->append(std::vector{span(kKept), span(kDropped)}));
    ASSERT_TRUE(store_->append(std::vector{line("CUDA out of memory")}));
    load();
    EXPECT_EQ(count("SELECT count(*) FROM spans WHERE service = 'app' AND output_tokens = 20 AND input_tokens IS NULL"),
              2);
    EXPECT_EQ(count("SELECT time_ns % 1000000 FROM logs WHERE contains(body, 'CUDA')"), 7);
    const auto sql = store_->sql("SELECT attributes->>'n' FROM spans LIMIT 1", {});
    ASSERT_TRUE(sql) << sql.error().message;
    EXPECT_EQ(sql->rows.at(0), R"(["1"])");
    EXPECT_FALSE(store_->sql("DELETE FROM spans", {}));
}

TEST_F(TelemetryStoreTest, LoadsEachRowOnceWhateverIsKilled) {
    open();
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(store_->append(std::vector{span(kKept)}));
        ASSERT_TRUE(store_->append(std::vector{line("x")}));
        if (i % 3 == 0) load();
        if (i % 4 == 0) open();  // What was not loaded is still in the journal.
    }
    open();
    load();
    load();
    EXPECT_EQ(count("SELECT count(*) FROM spans"), 10);
    EXPECT_EQ(count("SELECT count(*) FROM logs"), 10);
}

TEST_F(TelemetryStoreTest, SamplesWhenTheTraceIsDecidedAndSurvivesARestartBeforeThat) {
    TelemetryOptions options;
    options.sampling = {.rate = 0.5, .per_second = 0};
    open(options);
    ASSERT_TRUE(store_->append(std::vector{span(kKept), span(kDropped)}));
    load();
    EXPECT_EQ(count("SELECT count(*) FROM spans"), 0);
    open(options);
    load(now() + Duration{11'000});
    EXPECT_EQ(count("SELECT count(*) FROM spans"), 1);
    EXPECT_EQ(count("SELECT CAST(sum(weight) AS BIGINT) FROM spans"), 2);
    ASSERT_TRUE(store_->append(std::vector{span(kDropped, true)}));
    load(now() + Duration{30'000});
    EXPECT_EQ(count("SELECT count(*) FROM spans WHERE error"), 1);
}

TEST_F(TelemetryStoreTest, RemembersTheMarker) {
    open();
    EXPECT_EQ(store_->marker(), "");
    ASSERT_TRUE(store_->append(std::vector{span(kKept)}, "a:1"));
    EXPECT_EQ(store_->marker(), "a:1");
    open();
    EXPECT_EQ(store_->marker(), "a:1");
    load();
    open();
    EXPECT_EQ(store_->marker(), "a:1");
}

TEST_F(TelemetryStoreTest, RefusesARowThatIsTooLargeAndKeepsNothing) {
    open();
    SpanRow large = span(kKept);
    large.name = std::string(kMaxTelemetryRowBytes, 'x');
    const auto appended = store_->append(std::vector{span(kKept), large});
    ASSERT_FALSE(appended);
    EXPECT_EQ(appended.error().code, Errc::ResourceExhausted);
    load();
    EXPECT_EQ(count("SELECT count(*) FROM spans"), 0);
    large.name.resize(kMaxTelemetryRowBytes / 2);
    ASSERT_TRUE(store_->append(std::vector{large, large, large, span(kKept)}));
    load();
    EXPECT_EQ(count("SELECT count(*) FROM spans"), 4);
}

TEST_F(TelemetryStoreTest, OldRowsGo) {
    TelemetryOptions options;
    options.retention = Duration{3'600'000};
    open(options);
    ASSERT_TRUE(store_->append(std::vector{line("old", kNow - Duration{3'700'000}), line("young")}));
    load();
    const auto removed = store_->enforce_retention(now());
    ASSERT_TRUE(removed) << removed.error().message;
    EXPECT_EQ(*removed, 1u);
    EXPECT_EQ(count("SELECT count(*) FROM logs"), 1);
}

TEST_F(TelemetryStoreTest, TheOldestTenthGoesWhenTheDatabaseIsTooLarge) {
    TelemetryOptions options;
    options.max_size = config::Bytes{1};
    open(options);
    std::vector<LogRow> lines;
    for (int i = 0; i < 100; ++i) lines.push_back(line("x", kNow - Duration{100'000 - i * 1000}));
    ASSERT_TRUE(store_->append(lines));
    load();
    ASSERT_TRUE(store_->enforce_retention(now()));
    EXPECT_EQ(count("SELECT count(*) FROM logs"), 90);
}

TEST_F(TelemetryStoreTest, AQueryEndsByItsDeadline) {
    open();
    const auto read = store_->read(Duration{50}, [&](duck::Connection& connection) -> Result<Unit> {
        TRY([[maybe_unused]] const auto n,
            connection.integer(
                "SELECT count(*) FROM range(100000) a, range(100000) b WHERE a.range * b.range % 7 = 3"));
        return Unit{};
    });
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Errc::DeadlineExceeded);
}

TEST_F(TelemetryStoreTest, ADamagedDatabaseIsFilledAgain) {
    open();
    ASSERT_TRUE(store_->append(std::vector{line("kept")}));
    load();
    store_.reset();
    std::filesystem::remove(directory_ / "telemetry/telemetry.duckdb.wal");
    std::ofstream(directory_ / "telemetry/telemetry.duckdb", std::ios::trunc) << "not a database at all, not at all";
    open();
    EXPECT_NE(store_->repaired(), "");
    load();
    EXPECT_EQ(count("SELECT count(*) FROM logs"), 1);
}

}  // namespace
}  // namespace stoker::records
