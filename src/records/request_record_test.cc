#include "records/request_record.h"

#include <gtest/gtest.h>

#include "records/testing.h"

namespace stoker::records {
namespace {

TEST(RequestRecord, ComesBackAsItWent) {
    RequestRecord record = testing::request("req_1");
    record.model = "quote \" backslash \\ newline \n tab \t nul \x01 中文 \x7F";
    record.attempts = {{"chat/a", 0, "connect_refused", 10, 20}, {"chat/b", 200, "", 30, 40}};
    record.usage_source = UsageSource::Estimated;
    const std::string json = to_json(record);
    EXPECT_TRUE(json.starts_with(R"({"v":1,"id":"req_1")")) << json;
    const auto back = request_record_from_json(json);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(to_json(*back), json);
    EXPECT_EQ(back->model, record.model);
    ASSERT_EQ(back->attempts.size(), 2u);
    EXPECT_EQ(back->attempts[0].error, "connect_refused");
    EXPECT_EQ(back->attempts[1].status, 200);
    EXPECT_EQ(back->usage_source, UsageSource::Estimated);
}

TEST(RequestRecord, WritesValidJsonForInvalidText) {
    RequestRecord record;
    record.model = "bad \xFF\xC3 text";
    const auto back = request_record_from_json(to_json(record));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_TRUE(back->model.starts_with("bad "));
}

TEST(RequestRecord, MissingUnknownAndNullFieldsAreFine) {
    for (
        const char* json : {
            R"({})",
            R"({"v":1})",
            R"({"v":7,"id":null,"new":{"id":"x","attempts":[{"status":1}],"deep":[[{"status":2}]]},"more":[1,2.5,true,null,"s"]})",
            R"({"attempts":[]})",
            R"({"attempts":null,"usage_source":"from the future"})",
        }) {
        const auto record = request_record_from_json(json);
        ASSERT_TRUE(record) << json << ": " << record.error().message;
        EXPECT_EQ(to_json(*record), to_json(RequestRecord{})) << json;
    }
    const auto escaped = request_record_from_json(" { \"id\" :\r\n\t\"\\u0041\\ud83d\\ude00\\n\\/\u00e9\" } ");
    ASSERT_TRUE(escaped) << escaped.error().message;
    EXPECT_EQ(escaped->id, "A\xF0\x9F\x98\x80\n/\xC3\xA9");
    const auto record = request_record_from_json(R"({"attempts":[{"status":503,"later":{"status":1}}],"id":"after"})");
    ASSERT_TRUE(record);
    EXPECT_EQ(record->attempts.at(0).status, 503);
    EXPECT_EQ(record->id, "after");
}

TEST(RequestRecord, WhatIsNotARecordIsCorruption) {
    for (const char* json : {"",
                             "{",
                             "[]",
                             "7",
                             "null",
                             "\"x\"",
                             R"({"id":7})",
                             R"({"status":"200"})",
                             R"({"status":99999999999})",
                             R"({"time_ms":1e300})",
                             R"({"time_ms":18446744073709551615})",
                             R"({"stream":1})",
                             R"({"attempts":[{"status":true}]})",
                             "{\"id\":\"\xFF\"}",
                             R"({"id":"\ud800"})",
                             R"({"id":"\ud800\u0041"})",
                             R"({"id":"\u00g0"})",
                             R"({"id":"\x"})",
                             R"({"id":"a)",
                             R"({"id")",
                             R"({"id":})",
                             R"({"id":"a",})",
                             R"({"new":01})",
                             R"({"new":1.})",
                             R"({"new":-})",
                             R"({"new":nul})",
                             "{\"id\":\"\n\"}",
                             R"({"attempts":{}})",
                             R"({"attempts":[7]})",
                             R"({"id":"a"} x)"}) {
        const auto record = request_record_from_json(json);
        ASSERT_FALSE(record) << json;
        EXPECT_EQ(record.error().code, Errc::Corruption) << json;
    }
    EXPECT_FALSE(request_record_from_json("{\"new\":" + std::string(100'000, '[')));
}

TEST(RequestRecord, AttemptsAlone) {
    const std::vector<Attempt> attempts = {{"chat/a", 200, "", 1, 2}};
    EXPECT_EQ(to_json(attempts),
              R"([{"replica":"chat/a","status":200,"error":"","started_ns":1,"duration_ns":2,"tokens":0,"wasted":0}])");
    const auto back = attempts_from_json(to_json(attempts));
    ASSERT_TRUE(back);
    EXPECT_EQ(to_json(*back), to_json(attempts));
    EXPECT_TRUE(attempts_from_json("[]"));
    EXPECT_FALSE(attempts_from_json("{}"));
}

}  // namespace
}  // namespace stoker::records
