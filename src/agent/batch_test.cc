#include "agent/batch.h"

#include <gtest/gtest.h>

#include "agent/testing.h"
#include "wire/compression.h"
#include "wire/otlp.h"

namespace stoker::agent {
namespace {

constexpr auto kV1 = wire::RemoteWriteVersion::V1;
constexpr auto kV2 = wire::RemoteWriteVersion::V2;

struct At {
    std::string metric;
    std::int64_t time;
    double value;
};

std::shared_ptr<const collect::QueuedRecord> record(std::uint64_t sequence, const std::vector<At>& samples) {
    std::vector<tsdb::SeriesSample> all;
    for (const At& one : samples) all.push_back(testing::sample(one.metric, from_millis(one.time), one.value));
    auto decoded = collect::decode_record(sequence, collect::encode_record(all));
    EXPECT_TRUE(decoded);
    return *decoded;
}

// "m{instance=n1}: 1@10 2@20; ..." as a receiver reads it.
std::string received(const std::string& body, wire::RemoteWriteVersion version, const char* encoding = "snappy") {
    const auto message = wire::decompress(encoding, body, 1 << 20);
    EXPECT_TRUE(message) << encoding;
    wire::WriteRequest request;
    EXPECT_TRUE(wire::decode_write_request(version, *message, {}, request));
    std::string text;
    for (std::size_t i = 0; i < request.series_count(); ++i) {
        wire::LabelViews labels;
        EXPECT_TRUE(wire::parse_label_bytes(request.label_bytes(request.series[i]), labels));
        text += text.empty() ? "" : "; ";
        for (const auto& [name, value] : labels) {
            text += name == "__name__" ? std::string(value) : "," + std::string(name) + "=" + std::string(value);
        }
        text += ":";
        for (auto s = request.series[i].first_sample; s < request.series[i + 1].first_sample; ++s) {
            text += " " + std::to_string(static_cast<int>(request.samples[s].value)) + "@" +
                    std::to_string(request.samples[s].time);
        }
    }
    for (const auto& one : request.metadata) text += " " + std::string(one.family) + "=" + std::string(one.type);
    return text;
}

TEST(AgentBatch, JoinsTheSamplesOfASeries) {
    Batch batch;
    EXPECT_TRUE(batch.add(record(7, {{"a", 10, 1}, {"b", 10, 2}})));
    EXPECT_TRUE(batch.add(record(8, {{"b", 20, 3}, {"c", 20, 4}})));
    EXPECT_TRUE(batch.add(record(9, {{"a", 30, 5}})));
    EXPECT_EQ(batch.samples(), 5u);
    EXPECT_EQ(batch.records(), 3u);
    EXPECT_EQ(batch.last(), 9u);
    const std::string all = "a,instance=n1: 1@10 5@30; b,instance=n1: 2@10 3@20; c,instance=n1: 4@20";
    EXPECT_EQ(received(batch.encode({.version = kV1}), kV1), all);
    EXPECT_EQ(received(batch.encode({.version = kV2}), kV2), all);
    EXPECT_EQ(received(batch.encode({.version = kV2, .zstd = true}), kV2, "zstd"), all);
}

TEST(AgentBatch, AddsLabelsAndFamilies) {
    Batch batch;
    EXPECT_TRUE(batch.add(record(1, {{"a_total", 10, 1}})));
    const tsdb::Labels external{{"cluster", "c"}, {"instance", "other"}};
    const collect::FamilyBook families = {{"a_total", {"counter", "A.", ""}}};
    EXPECT_EQ(received(batch.encode({.version = kV2, .families = &families, .external_labels = &external}), kV2),
              "a_total,cluster=c,instance=n1: 1@10 a_total=counter");
    EXPECT_EQ(received(batch.encode({.version = kV1, .families = &families}), kV1), "a_total,instance=n1: 1@10");
}

TEST(AgentBatch, TimeThatGoesBackBeginsAnotherBatch) {
    Batch batch;
    EXPECT_TRUE(batch.add(record(1, {{"a", 1000, 1}, {"b", 1000, 1}})));
    EXPECT_FALSE(batch.add(record(2, {{"c", 500, 2}, {"a", 500, 2}})));
    EXPECT_FALSE(batch.add(record(2, {{"a", 1000, 2}})));  // Another value at the same time.
    EXPECT_EQ(received(batch.encode({.version = kV1}), kV1), "a,instance=n1: 1@1000; b,instance=n1: 1@1000");
    EXPECT_TRUE(batch.add(record(3, {{"a", 1000, 1}})));  // The same again says nothing.
    EXPECT_TRUE(batch.add(record(4, {{"c", 500, 2}})));   // Another series has a time of its own.
    EXPECT_EQ(batch.samples(), 3u);
}

TEST(AgentBatch, AsOtlp) {
    Batch batch;
    ASSERT_TRUE(batch.add(record(1, {{"node_load1", 1'000, 3}, {"node_intr_total", 1'000, 7}})));
    ASSERT_TRUE(batch.add(record(2, {{"node_load1", 2'000, 4}})));
    const tsdb::Labels external{{"cluster", "c"}, {"instance", "other"}};
    const std::string body = batch.encode({.external_labels = &external, .otlp = true});
    const auto message = wire::decompress("gzip", body, 1 << 20);
    ASSERT_TRUE(message);
    const auto request = wire::otlp::parse_protobuf(*message);
    ASSERT_TRUE(request);
    ASSERT_EQ(request->resources.size(), 1U);
    EXPECT_EQ(*wire::otlp::find(request->resources[0].attributes, "service.instance.id"), "n1");
    const auto& metrics = request->resources[0].scopes[0].metrics;
    ASSERT_EQ(metrics.size(), 2U);
    EXPECT_EQ(metrics[0].name, "node_intr_total");
    EXPECT_TRUE(metrics[0].monotonic);
    ASSERT_EQ(metrics[1].points.size(), 2U);
    EXPECT_EQ(metrics[1].points[1].value, 4);
    EXPECT_EQ(metrics[1].points[1].time, 2'000'000'000U);
    EXPECT_EQ(*wire::otlp::find(metrics[1].points[1].attributes, "cluster"), "c");
}

}  // namespace
}  // namespace stoker::agent
