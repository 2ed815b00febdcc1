#include "app/own_traces.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/id.h"
#include "base/text.h"
#include "records/duck.h"

namespace stoker::app {
namespace {

namespace fs = std::filesystem;

// A metrics store of which only exemplars matter: it takes those of series whose labels, as text, have `known` in them.
class ExemplarStore final : public tsdb::Ingest {
public:
    Result<tsdb::AppendOutcome> append(const std::vector<tsdb::SeriesSample>&) override {
        return tsdb::AppendOutcome{};
    }
    Result<std::size_t> append_exemplars(const std::vector<tsdb::SeriesExemplars>& batch) override {
        std::size_t count = 0;
        for (const auto& one : batch) {
            if (known.empty() || one.series.text().find(known) == std::string::npos) continue;
            taken.push_back(one);
            ++count;
        }
        return count;
    }
    void set_metadata(const std::vector<tsdb::FamilyMetadata>&) override {}

    std::string known;
    std::vector<tsdb::SeriesExemplars> taken;
};

class OwnTracesTest : public testing::Test {
protected:
    OwnTracesTest() : directory_(fs::path(testing::TempDir()) / ("own_traces-" + random_hex(8))) {}
    ~OwnTracesTest() override {
        store_.reset();
        journal_.reset();
        fs::remove_all(directory_);
    }

    void open() {
        store_.reset();
        journal_.reset();
        journal_ = journal::Journal::open((directory_ / "journal").string(), {}).value_or(nullptr);
        records::TelemetryOptions options;
        options.sampling = sampling_;
        store_ =
            records::TelemetryStore::open((directory_ / "telemetry").string(), options, registry_).value_or(nullptr);
        ASSERT_TRUE(journal_ && store_);
        own_ = std::make_unique<OwnTraces>(*journal_, *store_, sampling_, metrics_, registry_);
    }
    void request(const std::string& trace_id, const std::string& outcome = "ok", const std::string& parent = "") {
        records::RequestRecord record;
        record.id = trace_id;
        record.trace_id = trace_id;
        record.span_id = "00f067aa0ba902b7";
        record.parent_span_id = parent;
        record.time_ms = to_millis(now());
        record.endpoint = "/v1/chat/completions";
        record.model = "tiny";
        record.outcome = outcome;
        record.status = outcome == "ok" ? 200 : 502;
        record.duration_ns = 5'000'000;
        record.usage_source = records::UsageSource::Engine;
        record.prompt_tokens = 10;
        record.completion_tokens = 20;
        ASSERT_TRUE(journal_->append(journal::Kind::Request, records::to_json(record), now()));
    }
    std::int64_t count(const std::string& sql) {
        EXPECT_TRUE(store_->load(now()));
        std::int64_t value = -1;
        const auto read = store_->read(Duration{10'000}, [&](records::duck::Connection& connection) -> Result<Unit> {
            TRY(const auto found, connection.integer(sql));
            value = found.value_or(-2);
            return Unit{};
        });
        EXPECT_TRUE(read) << read.error().message;
        return value;
    }

    const fs::path directory_;
    metrics::Registry registry_;
    ExemplarStore metrics_;
    records::SamplingOptions sampling_{.rate = 1, .per_second = 0};
    std::unique_ptr<journal::Journal> journal_;
    std::unique_ptr<records::TelemetryStore> store_;
    std::unique_ptr<OwnTraces> own_;
};

const std::string kFirst = "0af7651916cd43dd8400000000000001";
const std::string kLast = "0af7651916cd43dd84ffffffffffff01";

TEST_F(OwnTracesTest, KeepsTheSpansOfEachRequestOnceOverRestarts) {
    open();
    request(kFirst);
    ASSERT_TRUE(own_->take());
    request(kLast);
    open();  // Before it was taken.
    ASSERT_TRUE(own_->take());
    open();
    ASSERT_TRUE(own_->take());
    EXPECT_EQ(count("SELECT count(*) FROM spans WHERE name = 'chat tiny' AND service = 'stoker'"), 2);
    EXPECT_EQ(count("SELECT sum(output_tokens) FROM spans WHERE operation = 'chat' AND model = 'tiny'"), 40);
}

TEST_F(OwnTracesTest, WhatWasThereBeforeIsNotTaken) {
    open();
    request(kFirst);
    open();
    ASSERT_TRUE(own_->take());
    EXPECT_EQ(count("SELECT count(*) FROM spans"), 0);
}

TEST_F(OwnTracesTest, SamplesOrdinaryRequestsOnly) {
    sampling_.rate = 0.5;
    open();
    request(kFirst);
    request(kLast);
    request("0af7651916cd43dd84fffffffffffe01", "upstream_error");
    ASSERT_TRUE(own_->take());
    EXPECT_EQ(count("SELECT count(DISTINCT trace_id) FROM spans"), 2);
    EXPECT_EQ(count("SELECT CAST(sum(weight) AS BIGINT) FROM spans WHERE name = 'chat tiny'"), 3);
}

TEST_F(OwnTracesTest, PartOfAnotherTraceIsLeftToItsSampler) {
    sampling_.rate = 0;
    open();
    request(kLast, "ok", "b7ad6b7169203331");
    ASSERT_TRUE(own_->take());
    records::SpanRow failed;
    failed.trace_id = kLast;
    failed.span_id = "b7ad6b7169203331";
    failed.error = true;
    failed.start_ns = 1;
    ASSERT_TRUE(store_->append(std::vector{failed}));
    ASSERT_TRUE(store_->load(now() + Duration{11'000}));
    EXPECT_GE(count("SELECT count(*) FROM spans WHERE service = 'stoker'"), 1);
}

records::RequestRecord served() {
    records::RequestRecord record;
    record.trace_id = kFirst;
    record.time_ms = 1'700'000'000'000;
    record.pool = "chat";
    record.model = "tiny";
    record.replica = "chat/127.0.0.1:9001";
    record.stream = true;
    record.duration_ns = 900'000'000;
    record.ttft_ns = 60'000'000;
    return record;
}

TEST(RequestExemplars, StandAtTheBucketOfTheirValue) {
    const auto exemplars = exemplars_of(served());
    ASSERT_EQ(exemplars.size(), 2u);
    EXPECT_EQ(exemplars[0].series.get("__name__"), "llm_request_duration_seconds_bucket");
    EXPECT_EQ(exemplars[0].series.get("replica"), "chat/127.0.0.1:9001");
    EXPECT_GE(parse_number(exemplars[0].series.get("le")).value_or(0), 0.9);
    EXPECT_LT(parse_number(exemplars[0].series.get("le")).value_or(9), 2);
    EXPECT_EQ(exemplars[0].exemplars[0].labels.get("trace_id"), kFirst);
    EXPECT_EQ(exemplars[0].exemplars[0].time, 1'700'000'000'900);
    EXPECT_EQ(exemplars[1].series.get("__name__"), "llm_time_to_first_token_seconds_bucket");
    records::RequestRecord refused = served();
    refused.replica.clear();
    EXPECT_TRUE(exemplars_of(refused).empty());
    refused = served();
    refused.duration_ns = 3'600'000'000'000;
    EXPECT_EQ(exemplars_of(refused)[0].series.get("le"), "+Inf");
}

TEST(RequestExemplars, AreOfferedUntilTheirSeriesIsThere) {
    ExemplarStore store;
    RequestExemplars exemplars(store);
    exemplars.add(served(), from_millis(0));
    EXPECT_TRUE(store.taken.empty());
    store.known = "duration";
    exemplars.offer(from_millis(5'000));
    EXPECT_EQ(store.taken.size(), 1u);
    store.known = "llm_";
    exemplars.offer(from_millis(120'000));  // Too late for the other.
    exemplars.offer(from_millis(130'000));
    EXPECT_EQ(store.taken.size(), 1u);
}

}  // namespace
}  // namespace stoker::app
