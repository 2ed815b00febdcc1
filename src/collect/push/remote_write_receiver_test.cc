// Requests in, answers out, and what the store was told.
#include "collect/push/remote_write_receiver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <protozero/pbf_writer.hpp>
#include <set>

#include "tsdb/store_fixture.h"
#include "wire/compression.h"
#include "wire/remote_write_encoder.h"

namespace stoker::collect {
namespace {

using ::testing::HasSubstr;
using wire::RemoteWriteVersion;

constexpr std::int64_t kT = 1'700'000'000'000;
constexpr auto kBoth = {RemoteWriteVersion::V1, RemoteWriteVersion::V2};

// Remembers what it was told and answers as a test wants. Refs are 1, 2, ... in the order in which series came.
class ScriptedStore : public tsdb::Store {
public:
    bool healthy = true;
    std::set<tsdb::SeriesRef> gone;
    std::map<std::int64_t, tsdb::Refusal> refuse;  // By the sample's time.

    std::string asked;  // Of each item: its labels, or its ref where it came without them.
    std::size_t stored = 0;
    std::vector<std::int64_t> starts;
    std::vector<tsdb::HistogramPtr> histograms;
    std::string linked;     // Exemplars.
    std::string described;  // Metadata.

    Result<tsdb::AppendOutcome> append_cached(std::vector<tsdb::CachedSample>& batch) override {
        if (!healthy) return Error{Errc::Unavailable, "the disk is gone"};
        tsdb::AppendOutcome outcome;
        for (std::size_t i = 0; i < batch.size(); ++i) take(batch[i], i, outcome);
        return outcome;
    }
    Result<std::size_t> append_exemplars(const std::vector<tsdb::SeriesExemplars>& batch) override {
        std::size_t count = 0;
        for (const auto& one : batch) {
            for (const auto& exemplar : one.exemplars) linked += one.series.text() + exemplar.labels.text();
            count += one.exemplars.size();
        }
        return count;
    }
    void set_metadata(const std::vector<tsdb::FamilyMetadata>& batch) override {
        for (const auto& one : batch) described += one.family + ":" + one.metadata.type + ":" + one.metadata.help + " ";
    }

    // Not asked for here.
    Result<tsdb::AppendOutcome> append(const std::vector<tsdb::SeriesSample>&) override { return unasked(); }
    Result<std::vector<tsdb::SeriesExemplars>> exemplars(const std::vector<std::vector<tsdb::Matcher>>&, std::int64_t,
                                                         std::int64_t) const override {
        return unasked();
    }
    Result<std::vector<std::shared_ptr<tsdb::Series>>> select(const std::vector<tsdb::Matcher>&, std::int64_t,
                                                              std::int64_t, std::size_t) const override {
        return unasked();
    }
    Result<std::vector<std::string>> label_names(const std::vector<tsdb::Matcher>&, std::int64_t,
                                                 std::int64_t) const override {
        return unasked();
    }
    Result<std::vector<std::string>> label_values(const std::string&, const std::vector<tsdb::Matcher>&, std::int64_t,
                                                  std::int64_t) const override {
        return unasked();
    }
    std::vector<tsdb::FamilyMetadata> metadata(const std::string&) const override { return {}; }
    Result<std::size_t> delete_series(const std::vector<tsdb::Matcher>&, std::int64_t, std::int64_t) override {
        return unasked();
    }
    Result<Unit> maintain(Timestamp, Timestamp) override { return unasked(); }
    Result<Unit> clean_tombstones() override { return unasked(); }
    Result<Unit> snapshot(const std::string&) override { return unasked(); }
    tsdb::Cardinality cardinality(const std::vector<tsdb::Matcher>&, std::size_t) const override { return {}; }
    std::vector<tsdb::Damage> damage() const override { return {}; }
    tsdb::StoreStats stats() const override { return {}; }
    Result<Unit> health() const override { return Unit{}; }

private:
    static Error unasked() { return {Errc::Internal, "not asked for here"}; }

    void take(tsdb::CachedSample& one, std::size_t index, tsdb::AppendOutcome& outcome) {
        asked += (asked.empty() ? "" : " ") + (one.ref == 0 ? one.labels->text() : std::to_string(one.ref));
        if (one.ref != 0 && gone.contains(one.ref)) {
            one.ref = 0;
            outcome.gone.push_back(index);
            return;
        }
        if (one.ref == 0) one.ref = ++last_ref_;
        if (const auto why = refuse.find(one.sample.time); why != refuse.end()) {
            outcome.refused.push_back({index, why->second, "because"});
            return;
        }
        ++outcome.accepted;
        ++stored;
        starts.push_back(one.start_time);
        if (one.histogram != nullptr) histograms.push_back(one.histogram);
    }

    tsdb::SeriesRef last_ref_ = 0;
};

PushRequest request_of(RemoteWriteVersion version, const std::string& message) {
    PushRequest request;
    request.headers.add("Content-Type", std::string(wire::WriteRequestEncoder::content_type(version)));
    request.headers.add("Content-Encoding", "snappy");
    request.body = wire::snappy_compress(message);
    request.now = from_millis(kT);
    return request;
}

// A request of series with one sample each: their labels and the sample's time.
PushRequest request_of(RemoteWriteVersion version,
                       const std::vector<std::pair<wire::LabelViews, std::int64_t>>& series) {
    wire::WriteRequestEncoder encoder(version);
    for (const auto& [labels, time] : series) {
        const wire::WriteRequest::Sample sample{1.5, time};
        encoder.add({labels, std::span(&sample, 1)});
    }
    return request_of(version, encoder.finish());
}

wire::LabelViews named(std::string_view name) {
    return {{"__name__", name}};
}

// "204 5/0/0": the status and what was written.
std::string outcome(const net::Response& response) {
    const auto header = [&](const char* kind) {
        const std::string name = std::string("X-Prometheus-Remote-Write-") + kind + "-Written";
        return std::string(response.headers.get(name).value_or("-"));
    };
    return std::to_string(response.status) + " " + header("Samples") + "/" + header("Histograms") + "/" +
           header("Exemplars");
}

class RemoteWriteReceiverTest : public ::testing::Test {
protected:
    net::Response receive(const PushRequest& request) { return receiver.receive(request); }

    ScriptedStore store;
    metrics::Registry registry;
    RemoteWriteReceiver receiver{store, {}, registry};
};

TEST_F(RemoteWriteReceiverTest, SeriesSeenBeforeGoByRef) {
    for (const auto version : kBoth) {
        store.asked.clear();
        EXPECT_EQ(outcome(receive(request_of(version, {{named("a"), kT}, {named("b"), kT}}))), "204 2/0/0");
        EXPECT_EQ(store.asked, version == RemoteWriteVersion::V1 ? "a b" : "1 2");  // 2.0 knows them from 1.0.
    }
    EXPECT_EQ(store.stored, 4u);
}

TEST_F(RemoteWriteReceiverTest, ASeriesThatIsGoneIsNamedAgain) {
    receive(request_of(RemoteWriteVersion::V1, {{named("a"), kT}, {named("b"), kT}}));
    store.gone = {1};
    store.asked.clear();
    EXPECT_EQ(outcome(receive(request_of(RemoteWriteVersion::V1, {{named("a"), kT}, {named("b"), kT}}))), "204 2/0/0");
    EXPECT_EQ(store.asked, "1 2 a");
    store.asked.clear();
    receive(request_of(RemoteWriteVersion::V1, {{named("a"), kT}, {named("b"), kT}}));
    EXPECT_EQ(store.asked, "3 2");
}

TEST_F(RemoteWriteReceiverTest, WhatIsRefusedIsToldAndTheRestIsStored) {
    for (const auto version : kBoth) {
        store.refuse = {{kT + 1, tsdb::Refusal::TooOld}, {kT + 2, tsdb::Refusal::OverLimit}};
        const auto response =
            receive(request_of(version, {{named("a"), kT}, {named("b"), kT + 1}, {named("c"), kT + 2}}));
        EXPECT_EQ(outcome(response), "400 1/0/0");
        EXPECT_THAT(response.body, HasSubstr("2 of 3 samples were refused: 1 over_limit, 1 too_old."));
        EXPECT_THAT(response.body, HasSubstr("b at 1700000000001: too_old: because"));
    }
}

TEST_F(RemoteWriteReceiverTest, LabelsThatNoSeriesMayHave) {
    struct Case {
        wire::LabelViews labels;
        std::string why;
    };
    const std::vector<Case> cases = {
        {{}, "no metric name"},
        {{{"job", "a"}}, "no metric name"},
        {{{"__name__", ""}}, "no metric name"},
        {{{"__name__", "a"}, {"job", "a"}, {"job", "b"}}, "the label job twice"},
        {{{"", "x"}, {"__name__", "a"}}, "a label without a name"},
        {{{"__name__", "a"}, {"job", "\xff"}}, "a label that is not UTF-8"},
    };
    for (const auto version : kBoth) {
        for (const auto& one : cases) {
            const auto response = receive(request_of(version, {{one.labels, kT}, {named("good"), kT}}));
            EXPECT_EQ(outcome(response), "400 1/0/0") << one.why;
            EXPECT_THAT(response.body, HasSubstr(one.why));
        }
    }
}

TEST_F(RemoteWriteReceiverTest, LabelsOutOfOrderOrEmptyAreMended) {
    receive(request_of(RemoteWriteVersion::V1, {{{{"job", "a"}, {"__name__", "up"}, {"zone", ""}}, kT}}));
    EXPECT_EQ(store.asked, "up{job=\"a\"}");
}

// The specification of 2.0, where a part of a request is wrong: the rest is written, and the headers say how much.
TEST_F(RemoteWriteReceiverTest, OneBrokenSeriesDoesNotSpoilTheRequest) {
    using protozero::pbf_writer;
    const auto request_with = [](const std::vector<std::uint32_t>& labels, const std::vector<std::uint32_t>& exemplar) {
        std::string body;
        {
            pbf_writer request(body);
            for (const char* text : {"", "__name__", "a", "b", "trace_id"}) request.add_string(4, text);
            for (const auto& refs : std::vector<std::vector<std::uint32_t>>{labels, {1, 3}}) {
                pbf_writer series(request, 5);
                series.add_packed_uint32(1, refs.begin(), refs.end());
                {
                    pbf_writer sample(series, 2);
                    sample.add_double(1, 1.5);
                    sample.add_int64(2, kT);
                }
                if (exemplar.empty() || refs != labels) continue;
                pbf_writer one(series, 4);
                one.add_packed_uint32(1, exemplar.begin(), exemplar.end());
                one.add_double(2, 1);
                one.add_int64(3, kT);
            }
        }
        return request_of(RemoteWriteVersion::V2, body);
    };
    struct Case {
        std::vector<std::uint32_t> labels;
        std::vector<std::uint32_t> exemplar;
        std::string outcome;
        std::string why;
    };
    for (const Case& one : std::vector<Case>{{{1, 2}, {}, "204 2/0/0", ""},
                                             {{1, 2}, {4, 2}, "204 2/0/1", ""},
                                             {{1, 9}, {}, "400 1/0/0", "1 of 2 samples were refused: 1 invalid_labels"},
                                             {{1}, {}, "400 1/0/0", "references past the symbols, or an odd number"},
                                             {{1, 2, 2, 0}, {}, "204 2/0/0", ""},  // A label that is empty is none.
                                             {{1, 2, 3, 2, 3, 3}, {}, "400 1/0/0", "the label b twice"},
                                             {{}, {}, "400 1/0/0", "no metric name"},
                                             {{1, 2}, {4, 9}, "400 2/0/0", "1 of 1 exemplars were refused"},
                                             {{1, 9}, {4, 2}, "400 1/0/0", "1 of 1 exemplars were refused"}}) {
        store = {};
        const auto response = receive(request_with(one.labels, one.exemplar));
        EXPECT_EQ(outcome(response), one.outcome) << one.why;
        EXPECT_THAT(response.body, HasSubstr(one.why));
        EXPECT_EQ(response.body.empty(), response.status == 204);
    }
}

TEST_F(RemoteWriteReceiverTest, AStoreThatTakesNothingIsWorthAnotherTry) {
    store.healthy = false;
    const auto response = receive(request_of(RemoteWriteVersion::V2, {{named("a"), kT}}));
    EXPECT_EQ(outcome(response), "503 0/0/0");
    EXPECT_TRUE(response.headers.get("Retry-After").has_value());
}

TEST_F(RemoteWriteReceiverTest, HistogramsExemplarsStartsAndMetadata) {
    for (const auto version : kBoth) {
        wire::NativeHistogram histogram;
        histogram.time = kT;
        histogram.count = 3;
        histogram.positive_spans = {{1, 2}};
        histogram.positive = {1, 2};
        const wire::WriteRequest::Sample sample{7, kT, kT - 1000};
        const wire::OutgoingExemplar exemplar{{{"trace_id", "t"}}, 7, kT};
        wire::WriteRequestEncoder encoder(version);
        encoder.add({named("h"), {}, std::span(&histogram, 1), {}, {"h", "histogram", "H.", ""}});
        encoder.add({named("c_total"), std::span(&sample, 1), {}, std::span(&exemplar, 1)});
        encoder.add_metadata({"h", "histogram", "H.", ""});
        store = {};
        EXPECT_EQ(outcome(receive(request_of(version, encoder.finish()))), "204 1/1/1");
        ASSERT_EQ(store.histograms.size(), 1u);
        EXPECT_EQ(store.histograms[0]->positive, (std::vector<double>{1, 2}));
        EXPECT_EQ(store.starts, (std::vector<std::int64_t>{0, version == RemoteWriteVersion::V1 ? 0 : kT - 1000}));
        EXPECT_EQ(store.linked, "c_total{trace_id=\"t\"}");
        // The second time the store knows.
        EXPECT_EQ(store.described, version == RemoteWriteVersion::V1 ? "h:histogram:H. " : "");
    }
}

TEST_F(RemoteWriteReceiverTest, NegotiatesTypeAndEncoding) {
    const auto with = [&](const std::string& type, const std::string& encoding) {
        PushRequest request = request_of(RemoteWriteVersion::V1, {{named("a"), kT}});
        request.headers.clear();
        if (!type.empty()) request.headers.add("content-type", type);
        if (!encoding.empty()) request.headers.add("content-encoding", encoding);
        return receive(request).status;
    };
    EXPECT_EQ(with("", ""), 204);
    EXPECT_EQ(with("application/x-protobuf", "snappy"), 204);
    EXPECT_EQ(with("application/x-protobuf; proto=prometheus.WriteRequest", "snappy"), 204);
    EXPECT_EQ(with("application/x-protobuf;proto=io.prometheus.write.v3.Request", "snappy"), 415);
    EXPECT_EQ(with("application/json", "snappy"), 415);
    EXPECT_EQ(with("application/x-protobuf", "br"), 415);
    EXPECT_EQ(with("application/x-protobuf", "gzip"), 400);  // It isn't.
}

TEST_F(RemoteWriteReceiverTest, NonsenseIsNotWorthAnotherTry) {
    PushRequest request = request_of(RemoteWriteVersion::V1, "\x0a\x7f");
    EXPECT_EQ(outcome(receive(request)), "400 0/0/0");
    request.body = "not snappy";
    EXPECT_EQ(outcome(receive(request)), "400 0/0/0");
    RemoteWriteReceiver small(store, {.max_body_bytes = 10, .limits = {}, .cache = {}}, registry);
    EXPECT_EQ(small.receive(request_of(RemoteWriteVersion::V1, {{named("a name of some length"), kT}})).status, 413);
    EXPECT_EQ(store.stored, 0u);
}

TEST(RemoteWriteIntoTheStore, ShowsInQueries) {
    tsdb::testing::TestStore store;
    metrics::Registry registry;
    RemoteWriteReceiver receiver(*store, {}, registry);
    for (const auto version : kBoth) {
        const std::int64_t time = version == RemoteWriteVersion::V1 ? kT : kT + 15'000;
        EXPECT_EQ(outcome(receiver.receive(request_of(version, {{named("a"), time}, {named("b"), time}}))),
                  "204 2/0/0");
    }
    const tsdb::testing::Samples expected = {{kT, std::bit_cast<std::uint64_t>(1.5)},
                                             {kT + 15'000, std::bit_cast<std::uint64_t>(1.5)}};
    EXPECT_EQ(tsdb::testing::content(*store), (tsdb::testing::Content{{"a", expected}, {"b", expected}}));
}

}  // namespace
}  // namespace stoker::collect
