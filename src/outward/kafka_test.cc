// Kafka, against the mock cluster that librdkafka brings.
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "collect/send/remote_write_sender_record.h"
#include "outward/kafka_in.h"
#include "outward/kafka_library.h"
#include "outward/kafka_messages.h"
#include "outward/kafka_out.h"
#include "wire/compression.h"

namespace stoker::outward {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class KafkaTest : public testing::Test {
protected:
    std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / ("kafka" + std::to_string(getpid()));
    metrics::Registry registry;
    std::unique_ptr<journal::Journal> journal;

    void SetUp() override {
        std::filesystem::remove_all(folder);
        auto opened = journal::Journal::open(folder.string(), {});
        ASSERT_TRUE(opened);
        journal = *std::move(opened);
    }
    void append(const std::string& text, journal::Kind kind = journal::Kind::Request) {
        ASSERT_TRUE(journal->append(kind, text, from_millis(1)));
    }
};

// Answers as it is told to, and remembers what was sent.
class ScriptedProducer : public KafkaProducer {
public:
    struct Script {
        std::vector<std::string> seen;
        std::vector<Delivered> answers;  // Of the next messages; then Yes.
    };
    explicit ScriptedProducer(Script& script) : script_(script) {}

    std::vector<Delivered> send(std::span<const KafkaMessage> messages, Duration, const std::function<bool()>&,
                                std::string& error) override {
        std::vector<Delivered> results;
        for (const auto& message : messages) {
            Delivered answer = Delivered::Yes;
            if (!script_.answers.empty()) {
                answer = script_.answers.front();
                script_.answers.erase(script_.answers.begin());
            }
            if (answer == Delivered::Yes) script_.seen.push_back(message.key + "=" + message.value);
            if (answer == Delivered::No) error = "broker down";
            results.push_back(answer);
        }
        return results;
    }

private:
    Script& script_;
};

KafkaOutOptions requests() {
    KafkaOutOptions options;
    options.topic = "t";
    options.reader = "kafka.t";
    options.messages = request_messages("id");
    return options;
}

TEST_F(KafkaTest, RecordsGoOutInOrderOnceAnsweredFor) {
    ScriptedProducer::Script script;
    append(R"({"id":"before"})");
    {
        KafkaOut out(requests(), *journal, std::make_unique<ScriptedProducer>(script), registry);
        append(R"({"id":"a"})");
        append(R"({"id":"not this"})", journal::Kind::Audit);
        append(R"({"id":7})");
        script.answers = {Delivered::Yes, Delivered::No};
        out.send(SteadyTime{1h}, [] { return false; });
        EXPECT_THAT(script.seen, ElementsAre(R"(a={"id":"a"})"));
    }
    // A restart: the batch that was not answered for as a whole is sent again.
    KafkaOut out(requests(), *journal, std::make_unique<ScriptedProducer>(script), registry);
    script.seen.clear();
    script.answers = {Delivered::Yes, Delivered::Never};
    append(R"({"id":"c"})");
    out.send(SteadyTime{1h}, [] { return false; });
    EXPECT_THAT(script.seen, ElementsAre(R"(a={"id":"a"})", R"(c={"id":"c"})"));
    out.send(SteadyTime{1h}, [] { return false; });
    EXPECT_EQ(script.seen.size(), 2U);
    const std::string metrics = registry.text();
    EXPECT_NE(metrics.find("stoker_kafka_out_messages_total{topic=\"t\",result=\"refused\"} 1\n"), std::string::npos)
        << metrics;
    EXPECT_NE(metrics.find("stoker_kafka_out_failures_total{topic=\"t\"} 1\n"), std::string::npos);
}

TEST(KafkaMessages, SamplesAreRemoteWriteInParts) {
    std::vector<tsdb::SeriesSample> samples;
    for (int i = 0; i < 5'000; ++i) {
        samples.push_back({tsdb::Labels({{"__name__", "x"}, {"job", "j"}, {"instance", "i"}, {"n", std::to_string(i)}}),
                           {1'000, i / 7.0}});
    }
    std::vector<KafkaMessage> messages;
    journal::Record record;
    record.kind = journal::Kind::Samples;
    record.payload = collect::encode_record(samples);
    sample_messages()(record, messages);
    ASSERT_EQ(messages.size(), 3U);
    std::size_t seen = 0;
    for (const auto& message : messages) {
        EXPECT_EQ(message.key, "j/i");
        const auto plain = wire::decompress("snappy", message.value, 1 << 24);
        ASSERT_TRUE(plain);
        wire::WriteRequest request;
        ASSERT_TRUE(wire::decode_write_request(wire::RemoteWriteVersion::V1, *plain, {}, request));
        seen += request.series_count();
    }
    EXPECT_EQ(seen, 5'000U);
}

TEST(KafkaKey, IsAMemberAsText) {
    EXPECT_EQ(json_key(R"({"a":"x","b":7,"c":null})", "a"), "x");
    EXPECT_EQ(json_key(R"({"a":"x","b":7,"c":null})", "b"), "7");
    EXPECT_EQ(json_key(R"({"a":"x","b":7,"c":null})", "c"), "");
    EXPECT_EQ(json_key("no json", "a"), "");
}

// Hands over its messages until they are taken.
class ScriptedConsumer : public KafkaConsumer {
public:
    explicit ScriptedConsumer(std::vector<std::string>& messages) : messages_(messages) {}
    Taken poll(Duration, const std::function<bool(std::string_view)>& take) override {
        if (messages_.empty() || !take(messages_.front())) return {};
        messages_.erase(messages_.begin());
        return {true, {}};
    }

private:
    std::vector<std::string>& messages_;
};

TEST(KafkaIn, WhatTheStoreDoesNotTakeWaitsAndWhatIsBadDoesNot) {
    metrics::Registry registry;
    std::vector<std::string> messages = {"good", "bad", "full", "good"};
    std::vector<std::string> seen;
    bool full = true;
    const auto receive = [&](const collect::PushRequest& request) {
        EXPECT_EQ(request.path, "/api/v1/metrics/batch");
        if (request.body == "full" && full) return net::Response{503, {}, "no room"};
        seen.push_back(request.body);
        return net::Response{request.body == "bad" ? 400 : 200, {}, ""};
    };
    KafkaIn in("t", kafka_format("json"), receive, std::make_unique<ScriptedConsumer>(messages), registry);
    in.poll(Duration{0}, [] { return false; });
    EXPECT_THAT(seen, ElementsAre("good", "bad"));
    EXPECT_EQ(messages.size(), 2U);
    full = false;
    while (!messages.empty()) in.poll(Duration{0}, [] { return false; });  // After a pause.
    EXPECT_THAT(seen, ElementsAre("good", "bad", "full", "good"));
    EXPECT_NE(registry.text().find("stoker_kafka_in_messages_total{topic=\"t\",result=\"bad\"} 1\n"),
              std::string::npos);
    EXPECT_TRUE(kafka_format("avro").path.empty());
}

class KafkaLibraryTest : public testing::Test {
    void SetUp() override {
#ifdef __SANITIZE_THREAD__
        GTEST_SKIP() << "librdkafka is not instrumented: its own synchronisation is not seen";
#endif
        if (const auto library = kafka::load(); !library) GTEST_SKIP() << library.error().message;
    }
};

TEST_F(KafkaLibraryTest, SettingsAreChecked) {
    const auto made = KafkaProducer::create({{"127.0.0.1:1"}, {{"no.such.setting", "1"}}}, "t");
    ASSERT_FALSE(made);
    EXPECT_NE(made.error().message.find("Kafka's setting no.such.setting: No such configuration property"),
              std::string::npos)
        << made.error().message;
    EXPECT_FALSE(KafkaConsumer::create({{"127.0.0.1:1"}, {{"security.protocol", "none"}}}, "t", "g"));
}

TEST_F(KafkaLibraryTest, TheMockClusterTakesMessages) {
    auto producer = KafkaProducer::create({{}, {{"test.mock.num.brokers", "3"}}}, "t");
    ASSERT_TRUE(producer) << producer.error().message;
    std::vector<KafkaMessage> messages;
    for (int i = 0; i < 100; ++i) messages.push_back({"key", "value " + std::to_string(i)});
    std::string error;
    const auto results = (*producer)->send(
        messages, 30s, [] { return false; }, error);
    EXPECT_EQ(std::count(results.begin(), results.end(), Delivered::Yes), 100) << error;
}

TEST_F(KafkaLibraryTest, NobodyThereIsNotDelivered) {
    auto producer = KafkaProducer::create({{"127.0.0.1:1"}, {}}, "t");
    ASSERT_TRUE(producer) << producer.error().message;
    std::string error;
    const std::vector<KafkaMessage> messages = {{"", "lost?"}};
    const auto results = (*producer)->send(
        messages, 300ms, [] { return false; }, error);
    EXPECT_THAT(results, ElementsAre(Delivered::No));
    EXPECT_NE(error, "");
}

}  // namespace
}  // namespace stoker::outward
