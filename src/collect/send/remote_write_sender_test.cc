// The sender's records and lanes, without a network.
#include <gtest/gtest.h>

#include "collect/send/remote_write_sender_families.h"
#include "collect/send/remote_write_sender_record.h"
#include "collect/send/remote_write_sender_shard.h"
#include "wire/compression.h"
#include "wire/remote_write_encoder.h"

namespace stoker::collect {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr SteadyTime kStart{};

std::shared_ptr<const QueuedRecord> record_of(const std::vector<std::string>& metrics, std::uint64_t sequence = 1) {
    std::vector<tsdb::SeriesSample> samples;
    for (const std::string& metric : metrics) samples.push_back({tsdb::Labels{{"__name__", metric}}, {1000, 1.5}});
    auto record = decode_record(sequence, encode_record(samples));
    EXPECT_TRUE(record.has_value()) << record.error().message;
    return *record;
}

// Series named "a", "b", ... for each letter.
void add(RemoteWriteShard& shard, const std::string& letters, SteadyTime now = kStart) {
    std::vector<std::string> metrics;
    for (const char letter : letters) metrics.emplace_back(1, letter);
    const auto record = record_of(metrics);
    for (std::uint32_t i = 0; i < metrics.size(); ++i) shard.add({record, i}, now);
}

std::string names(const std::vector<QueuedSeries>& batch) {
    std::string text;
    for (const auto& one : batch) {
        wire::LabelViews labels;
        EXPECT_TRUE(wire::parse_label_bytes(one.label_bytes(), labels));
        text += labels.at(0).second;
    }
    return text;
}

constexpr SendAnswer kSent{.outcome = SendOutcome::Sent};
constexpr SendAnswer kTryAgain{.outcome = SendOutcome::TryAgain};
constexpr SendAnswer kRefused{.outcome = SendOutcome::Refused, .worth_parting = true};

TEST(RemoteWriteShard, WaitsForAFullBatchOrItsDeadline) {
    RemoteWriteShard shard({.samples_per_send = 3, .batch_deadline = seconds(5)});
    EXPECT_FALSE(shard.next_send().has_value());
    add(shard, "ab");
    EXPECT_EQ(shard.next_send(), kStart + seconds(5));
    add(shard, "cd", kStart + seconds(1));
    EXPECT_EQ(shard.next_send(), kStart);
    EXPECT_EQ(names(shard.begin_send()), "abc");
    EXPECT_FALSE(shard.next_send().has_value());  // One at a time.
    const auto settled = shard.end_send(kSent, kStart, 0);
    EXPECT_EQ(names(settled.series), "abc");
    EXPECT_EQ(settled.sent, 3u);
    EXPECT_EQ(shard.next_send(), kStart + seconds(6));
    shard.hurry();
    EXPECT_LE(*shard.next_send(), kStart + seconds(1));
}

TEST(RemoteWriteShard, TriesAgainInOrderWithLongerPauses) {
    RemoteWriteShard shard({.samples_per_send = 2, .min_backoff = milliseconds(100), .max_backoff = milliseconds(350)});
    add(shard, "abcd");
    SteadyTime now = kStart;
    for (const int pause : {100, 200, 350, 350}) {
        EXPECT_EQ(names(shard.begin_send()), "ab");
        EXPECT_TRUE(shard.end_send(kTryAgain, now, 0.999999).series.empty());
        EXPECT_NEAR(std::chrono::duration<double>(*shard.next_send() - now).count(), pause / 1000.0, 0.002);
        now = *shard.next_send();
    }
    EXPECT_EQ(names(shard.begin_send()), "ab");
    EXPECT_EQ(shard.end_send(kSent, now, 0).sent, 2u);
    EXPECT_EQ(names(shard.begin_send()), "cd");
    shard.end_send(kTryAgain, now, 0);
    EXPECT_EQ(shard.backoff(), milliseconds(100));  // From the start again.
}

TEST(RemoteWriteShard, PausesAsLongAsItIsAskedTo) {
    RemoteWriteShard shard({.samples_per_send = 1});
    add(shard, "a");
    shard.begin_send();
    shard.end_send({.outcome = SendOutcome::TryAgain, .retry_after = seconds(40)}, kStart, 0);
    EXPECT_EQ(shard.next_send(), kStart + seconds(40));
    shard.begin_send();
    shard.end_send({.outcome = SendOutcome::TryAgain, .retry_after = seconds(40'000)}, kStart, 0);
    EXPECT_EQ(shard.next_send(), kStart + seconds(300));
}

// Sends until nothing waits, to a receiver that throws a request away when it holds one of `bad`: what it took.
struct Ended {
    std::string taken;
    std::size_t refused = 0;
    std::size_t requests = 0;
};
Ended send_all(RemoteWriteShard& shard, const std::string& bad) {
    Ended ended;
    for (; shard.next_send() && ended.requests < 10'000; ++ended.requests) {
        const std::string batch = names(shard.begin_send());
        const bool refused = batch.find_first_of(bad) != std::string::npos;
        if (!refused) ended.taken += batch;
        ended.refused += shard.end_send(refused ? kRefused : kSent, kStart, 0).refused;
    }
    EXPECT_EQ(shard.waiting(), 0u);
    return ended;
}

TEST(RemoteWriteShard, OneBadSampleGoesAlone) {
    for (const char bad : std::string("amz")) {
        RemoteWriteShard shard({.samples_per_send = 26});
        const std::string all = "abcdefghijklmnopqrstuvwxyz";
        add(shard, all + all);
        const auto ended = send_all(shard, std::string(1, bad));
        std::string good = all + all;
        std::erase(good, bad);
        EXPECT_EQ(ended.taken, good);
        EXPECT_EQ(ended.refused, 2u);
        EXPECT_LT(ended.requests, 40u);
    }
}

TEST(RemoteWriteShard, ABatchThatIsBadThroughoutIsGivenUp) {
    RemoteWriteShard shard({.samples_per_send = 1000, .parts_tried = 20});
    add(shard, std::string(1000, 'x') + std::string(1000, 'a'));
    const auto ended = send_all(shard, "x");
    EXPECT_EQ(ended.taken, std::string(1000, 'a'));
    EXPECT_EQ(ended.refused, 1000u);
    EXPECT_LE(ended.requests, 25u);
}

TEST(RemoteWriteShard, WhatSmallerPartsCannotHelpIsDroppedAtOnce) {
    RemoteWriteShard shard({.samples_per_send = 3});
    add(shard, "abc");
    shard.begin_send();
    const auto settled = shard.end_send({.outcome = SendOutcome::Refused}, kStart, 0);
    EXPECT_EQ(settled.refused, 3u);
    EXPECT_EQ(settled.sent, 0u);
    EXPECT_EQ(shard.waiting(), 0u);
}

TEST(RemoteWriteShard, CountsWhatAReceiverLeftOut) {
    RemoteWriteShard shard({.samples_per_send = 3});
    add(shard, "abc");
    shard.begin_send();
    const auto settled = shard.end_send({.outcome = SendOutcome::Sent, .refused = 1}, kStart, 0);
    EXPECT_EQ(settled.sent, 2u);
    EXPECT_EQ(settled.refused, 1u);
}

// The batch as a receiver decodes it: labels and the value of each.
std::string received(const std::string& body, wire::RemoteWriteVersion version) {
    const auto message = wire::decompress("snappy", body, 1 << 20);
    wire::WriteRequest request;
    EXPECT_TRUE(wire::decode_write_request(version, *message, {}, request));
    std::string text;
    for (std::size_t i = 0; i < request.series_count(); ++i) {
        wire::LabelViews labels;
        EXPECT_TRUE(wire::parse_label_bytes(request.label_bytes(request.series[i]), labels));
        text += text.empty() ? "" : " ";
        for (const auto& [name, value] : labels) text += std::string(name) + "=" + std::string(value) + ",";
        text += std::to_string(request.series[i + 1].first_sample - request.series[i].first_sample) + "s" +
                std::to_string(request.series[i + 1].first_histogram - request.series[i].first_histogram) + "h" +
                std::to_string(request.series[i + 1].first_exemplar - request.series[i].first_exemplar) + "e";
    }
    for (const auto& one : request.metadata) text += " " + std::string(one.family) + ":" + std::string(one.type);
    return text;
}

TEST(RemoteWriteRecord, OwnBatchesGetExternalLabels) {
    auto histogram = std::make_shared<tsdb::Histogram>();
    histogram->count = 2;
    std::vector<tsdb::SeriesSample> samples = {{tsdb::Labels{{"__name__", "up"}, {"zone", "own"}}, {1000, 1}},
                                               {tsdb::Labels{{"__name__", "h"}}, {1000, 0}}};
    samples[1].histogram = histogram;
    const auto record = decode_record(7, encode_record(samples));
    ASSERT_TRUE(record);
    EXPECT_EQ((*record)->sequence, 7u);
    const std::vector<QueuedSeries> batch = {{*record, 0}, {*record, 1}};
    for (const auto version : {wire::RemoteWriteVersion::V1, wire::RemoteWriteVersion::V2}) {
        EXPECT_EQ(received(encode_batch(batch, version, tsdb::Labels{{"A", "1"}, {"zone", "ext"}}), version),
                  "A=1,__name__=up,zone=own,1s0h0e A=1,__name__=h,zone=ext,0s1h0e");
    }
}

TEST(RemoteWriteRecord, WhatCameByRemoteWriteGoesOnWithAllItHad) {
    const wire::WriteRequest::Sample sample{1, 1000};
    const wire::OutgoingExemplar exemplar{{{"trace_id", "t"}}, 1, 1000};
    wire::WriteRequestEncoder encoder(wire::RemoteWriteVersion::V1);
    encoder.add({{{"__name__", "h_bucket"}}, std::span(&sample, 1), {}, std::span(&exemplar, 1)});
    encoder.add_metadata({"h", "histogram", "H.", ""});
    const auto record =
        decode_record(1, encode_record(wire::RemoteWriteVersion::V1, wire::snappy_compress(encoder.finish())));
    ASSERT_TRUE(record);
    const std::vector<QueuedSeries> batch = {{*record, 0}};
    EXPECT_EQ(received(encode_batch(batch, wire::RemoteWriteVersion::V2, {}), wire::RemoteWriteVersion::V2),
              "__name__=h_bucket,1s0h1e h_bucket:histogram");
}

// The store takes samples and their exemplars one after the other; 2.0 sends no exemplars alone.
TEST(RemoteWriteRecord, ExemplarsGoWithTheSamplesThatWait) {
    RemoteWriteShard shard({.samples_per_send = 2});
    add(shard, "abc");
    shard.begin_send();  // "ab": too late for those.
    const std::vector<tsdb::SeriesExemplars> exemplars = {
        {tsdb::Labels{{"__name__", "a"}}, {{tsdb::Labels{{"trace_id", "1"}}, 1, 1000}}},
        {tsdb::Labels{{"__name__", "c"}}, {{tsdb::Labels{{"trace_id", "2"}}, 2, 1000}}}};
    const auto record = decode_record(2, encode_record(exemplars));
    ASSERT_TRUE(record);
    EXPECT_EQ(names(shard.attach({{*record, 0}, {*record, 1}})), "a");
    EXPECT_EQ(shard.end_send(kSent, kStart, 0).sent, 2u);
    const auto batch = shard.begin_send();
    for (const auto version : {wire::RemoteWriteVersion::V1, wire::RemoteWriteVersion::V2}) {
        EXPECT_EQ(received(encode_batch(batch, version, {}), version), "__name__=c,1s0h1e");
    }
    const auto settled = shard.end_send(kSent, kStart, 0);
    ASSERT_EQ(settled.series.size(), 1u);
    EXPECT_EQ(settled.series[0].exemplars.size(), 1u);
}

TEST(RemoteWriteRecord, StartTimesAndStaleMarkersStay) {
    std::vector<tsdb::SeriesSample> samples = {{tsdb::Labels{{"__name__", "a_total"}}, {1000, 1}, {}, 500},
                                               {tsdb::Labels{{"__name__", "b"}}, {1000, tsdb::stale_marker()}}};
    const auto record = decode_record(1, encode_record(samples));
    ASSERT_TRUE(record);
    const std::vector<QueuedSeries> batch = {{*record, 0}, {*record, 1}};
    for (const auto version : {wire::RemoteWriteVersion::V1, wire::RemoteWriteVersion::V2}) {
        const auto message = wire::decompress("snappy", encode_batch(batch, version, {}), 1 << 20);
        wire::WriteRequest request;
        ASSERT_TRUE(wire::decode_write_request(version, *message, {}, request));
        EXPECT_EQ(request.samples.at(0).start_time, version == wire::RemoteWriteVersion::V2 ? 500 : 0);
        EXPECT_TRUE(tsdb::is_stale(request.samples.at(1).value));
    }
}

TEST(RemoteWriteRecord, FamiliesAreFoundByTheirSamplesNames) {
    const FamilyBook families = {
        {"a", {"counter", "A.", ""}}, {"h", {"histogram", "H.", ""}}, {"g", {"gauge", "", ""}}};
    const auto record = record_of({"a_total", "h_bucket", "g", "g_total", "other"});
    std::vector<QueuedSeries> batch;
    for (std::uint32_t i = 0; i < 5; ++i) batch.push_back({record, i});
    constexpr auto kV2 = wire::RemoteWriteVersion::V2;
    const std::string text = received(encode_batch(batch, kV2, {}, &families), kV2);
    EXPECT_NE(text.find(" a_total:counter h_bucket:histogram g:gauge"), std::string::npos) << text;
    EXPECT_EQ(text.find("g_total:gauge"), std::string::npos) << text;
    EXPECT_EQ(received(encode_metadata(std::vector<tsdb::FamilyMetadata>{{"a", {"counter", "A.", ""}}}),
                       wire::RemoteWriteVersion::V1),
              " a:counter");
}

TEST(SenderFamilies, TellsWhatIsNewAndRepeatsItLater) {
    std::vector<tsdb::FamilyMetadata> known = {{"a", {"gauge", "A.", ""}}, {"b", {"gauge", "B.", ""}}};
    SenderFamilies families([&] { return known; }, seconds(60));
    families.refresh();
    const auto tell = [&](SteadyTime now) {
        std::string told;
        for (auto some = families.pending(now, 1); !some.empty(); some = families.pending(now, 1)) {
            told += some[0].family;
            families.told(some, now);
        }
        return told;
    };
    EXPECT_EQ(tell(kStart), "ab");
    EXPECT_EQ(tell(kStart + seconds(59)), "");
    known[1].metadata.help = "Better.";
    families.refresh();
    EXPECT_EQ(tell(kStart + seconds(59)), "b");
    EXPECT_EQ(tell(kStart + seconds(60)), "a");
    known.clear();
    families.refresh();
    EXPECT_EQ(tell(kStart + seconds(600)), "");
}

TEST(RemoteWriteRecord, DamageIsAnError) {
    EXPECT_FALSE(decode_record(1, ""));
    EXPECT_FALSE(decode_record(1, "3abc"));
    EXPECT_FALSE(decode_record(1, "2abc"));
}

}  // namespace
}  // namespace stoker::collect
