#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collect/push/influx_receiver.h"
#include "collect/push/json_receiver.h"
#include "collect/push/push_fixture.h"
#include "wire/compression.h"

namespace stoker::collect {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Contents = std::map<std::string, std::string>;

constexpr std::int64_t kNow = 1'700'000'000'000;

class PushReceivers : public ::testing::Test {
protected:
    std::string write(const std::string& body, std::vector<std::pair<std::string, std::string>> params = {},
                      const std::string& path = "/write") {
        auto request = testing::push(path, "text/plain", body, kNow);
        request.params = std::move(params);
        auto response = influx_.receive(request);
        return std::to_string(response.status) + " " + response.body;
    }
    std::string batch(const std::string& body) {
        auto response = json_.receive(testing::push("/api/v1/metrics/batch", "application/json", body, kNow));
        return std::to_string(response.status) + " " + response.body;
    }
    Contents stored() { return testing::contents(*store_); }

    metrics::Registry registry_;
    tsdb::testing::TestStore store_{{.out_of_order_window = Duration{0}, .future_window = Duration{0}}};
    InfluxReceiver influx_{*store_, {}, registry_};
    JsonReceiver json_{*store_, {}, registry_};
};

TEST_F(PushReceivers, LineProtocol) {
    EXPECT_EQ(write("cpu,host=a usage-idle=1.5,n=2i,msg=\"x\" 1700000001000000000\nmem used=1", {{"db", "telegraf"}}),
              "204 ");
    EXPECT_EQ(stored(), (Contents{{R"(cpu_usage_idle{db="telegraf",host="a"})", "1.5@1700000001000"},
                                  {R"(cpu_n{db="telegraf",host="a"})", "2@1700000001000"},
                                  {R"(mem_used{db="telegraf"})", "1@1700000000000"}}));
}

TEST_F(PushReceivers, LineProtocolPartialWrites) {
    EXPECT_EQ(write("a v=1\nbroken\nb v=2"),
              "400 {\"error\":\"partial write: line 2: unable to parse 'broken': missing fields dropped=1\"}");
    EXPECT_EQ(stored(), (Contents{{"a_v", "1@1700000000000"}, {"b_v", "2@1700000000000"}}));
    EXPECT_THAT(write("broken", {{"bucket", "b"}}, "/api/v2/write"),
                HasSubstr(R"(400 {"code":"invalid","message":"partial write: line 1)"));
    EXPECT_THAT(write("a v=5 1", {{"precision", "s"}}), HasSubstr("line 1: too_old: a_v: "));
}

TEST_F(PushReceivers, LineProtocolOptions) {
    EXPECT_EQ(write("a v=1 1700000001", {{"precision", "s"}, {"bucket", "b"}}, "/api/v2/write"), "204 ");
    EXPECT_EQ(stored(), (Contents{{R"(a_v{db="b"})", "1@1700000001000"}}));
    EXPECT_THAT(write("a v=1", {{"precision", "years"}}), HasSubstr("400 {\"error\":\"invalid precision"));
    auto request = testing::push("/write", "text/plain", wire::gzip_compress("z v=1"), kNow);
    request.headers.add("Content-Encoding", "gzip");
    EXPECT_EQ(influx_.receive(request).status, 204);
    EXPECT_EQ(InfluxReceiver::ping().status, 204);
    EXPECT_EQ(InfluxReceiver::query({{"q", "CREATE DATABASE \"telegraf\""}}).status, 200);
    EXPECT_EQ(InfluxReceiver::query({{"q", "SELECT 1"}}).status, 400);
    EXPECT_EQ(InfluxReceiver::query({}).status, 400);
}

TEST_F(PushReceivers, JsonBatch) {
    EXPECT_EQ(batch(R"([{"timestamp":1700000001,"host":"a","gpus":[{"index":0,"temp":60}]},7,{"host":"b","up":true}])"),
              R"(200 {"accepted":2,"rejected":[{"index":1,"error":"an item must be an object"}]})");
    EXPECT_EQ(stored(), (Contents{{R"(gpus_temp{gpu="0",host="a"})", "60@1700000001000"},
                                  {R"(up{host="b"})", "1@1700000000000"}}));
    EXPECT_THAT(batch(R"([{"timestamp":5,"host":"b","up":true}])"),
                HasSubstr(R"("accepted":0,"rejected":[{"index":0,"error":"too_old)"));
    EXPECT_THAT(batch("nonsense"), HasSubstr(R"(400 {"error":"not JSON)"));
}

TEST_F(PushReceivers, LabelsThatAreTooLongAreNamed) {
    EXPECT_THAT(write("a,b=" + std::string(20'000, 'x') + " v=1\nc v=1"),
                HasSubstr("has 20000 bytes, the limit is 16384"));
    EXPECT_EQ(stored(), (Contents{{"c_v", "1@1700000000000"}}));
}

// One long label shared by many fields must not take the product of the two in memory.
TEST_F(PushReceivers, MemoryOfARequestIsBounded) {
    InfluxOptions options;
    options.labels.max_request_bytes = 100'000;
    InfluxReceiver tight(*store_, options, registry_);
    std::string line = "a,b=" + std::string(10'000, 'x') + " ";
    for (int i = 0; i < 100; ++i) line += (i == 0 ? "f" : ",f") + std::to_string(i) + "=1";
    auto response = tight.receive(testing::push("/write", "text/plain", line, kNow));
    EXPECT_EQ(response.status, 400);
    EXPECT_THAT(response.body, HasSubstr("more than can be taken at once"));
    EXPECT_LT(stored().size(), 12u);
}

}  // namespace
}  // namespace stoker::collect
