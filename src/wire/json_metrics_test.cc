#include "wire/json_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"

namespace stoker::wire {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Each sample as name,label=value... number; errors as "item 1: why".
std::vector<std::string> shown(std::string_view body, const JsonMetricsLimits& limits = {}) {
    std::vector<std::string> out;
    JsonMetricsVisitor visitor;
    visitor.on_item = [&](JsonItem&& item) {
        for (const JsonSample& sample : item.samples) {
            std::string text = sample.name;
            for (const auto& [name, value] : sample.labels) text += "," + name + "=" + value;
            text += " " + format_number(sample.value);
            if (item.time_ms) text += " @" + std::to_string(*item.time_ms);
            out.push_back(text);
        }
    };
    visitor.on_error = [&](std::size_t index, const std::string& error) {
        out.push_back("item " + std::to_string(index) + ": " + error);
    };
    auto parsed = parse_json_metrics(body, visitor, limits);
    if (!parsed) out.push_back("error: " + parsed.error().message);
    return out;
}

TEST(JsonMetrics, WhatASmallAgentSends) {
    EXPECT_THAT(
        shown(R"([{"timestamp": "2023-11-14T22:13:20.500000",
        "host": {"hostname": "node-1", "ip_address": "10.0.0.1"},
        "cpu": {"percent": [5.5, 6], "load_avg": [1, 2, 3], "count": 2},
        "memory": {"total": 100, "swap": {"used": 1}},
        "disk": {"/": {"used": 5, "device": "/dev/sda1"}},
        "network": {"bytes_sent": 7}, "comment": "prose", "gone": null, "ok": true}])"),
        ElementsAre(
            "cpu_percent,host=node-1,index=0 5.5 @1700000000500", "cpu_percent,host=node-1,index=1 6 @1700000000500",
            "cpu_load_avg,host=node-1,index=0 1 @1700000000500", "cpu_load_avg,host=node-1,index=1 2 @1700000000500",
            "cpu_load_avg,host=node-1,index=2 3 @1700000000500", "cpu_count,host=node-1 2 @1700000000500",
            "memory_total,host=node-1 100 @1700000000500", "memory_swap_used,host=node-1 1 @1700000000500",
            "disk_used,host=node-1,disk=/,device=/dev/sda1 5 @1700000000500",
            "network_bytes_sent,host=node-1 7 @1700000000500", "ok,host=node-1 1 @1700000000500"));
}

TEST(JsonMetrics, ListsOfThingsGetALabel) {
    EXPECT_THAT(shown(R"([{"host":"a","gpus":[{"index":3,"temp":60,"name":"H100"},{"index":4,"temp":61}]}])"),
                ElementsAre("gpus_temp,host=a,gpu=3,name=H100 60", "gpus_temp,host=a,gpu=4 61"));
    EXPECT_THAT(shown(R"({"gpus":[{"temp":60},{"temp":61}]})"),
                ElementsAre("gpus_temp,gpu=0 60", "gpus_temp,gpu=1 61"));
    EXPECT_THAT(shown(R"({"gpu":{"0":{"temp":60}}})"), ElementsAre("gpu_temp,gpu=0 60"));
    EXPECT_THAT(shown(R"({"gpus":[{"gpu_id":1,"mem":{"used":2}}]})"), ElementsAre("gpus_mem_used,gpu_id=1 2"));
}

TEST(JsonMetrics, LabelsAndMetricsObjects) {
    EXPECT_THAT(shown(R"({"server_id":"s1","labels":{"team":"x","n":5},"metrics":{"a.b":1,"c":{"d-e":2}}})"),
                ElementsAre("a_b,server_id=s1,team=x,n=5 1", "c_d_e,server_id=s1,team=x,n=5 2"));
}

TEST(JsonMetrics, Timestamps) {
    for (const auto& [time, want] : std::vector<std::pair<std::string, std::string>>{
             {"1700000000", "@1700000000000"},
             {"1700000000.5", "@1700000000500"},
             {"1700000000500", "@1700000000500"},
             {"1700000000500000", "@1700000000500"},
             {"1700000000500000000", "@1700000000500"},
             {"\"1700000000\"", "@1700000000000"},
             {"\"2023-11-14T22:13:20Z\"", "@1700000000000"},
             {"\"2023-11-14 22:13:20\"", "@1700000000000"},
             {"\"2023-11-14T23:13:20+01:00\"", "@1700000000000"},
         }) {
        EXPECT_THAT(shown("{\"timestamp\":" + time + ",\"a\":1}"), ElementsAre("a 1 " + want)) << time;
    }
    EXPECT_THAT(shown(R"({"timestamp":"yesterday","a":1})"), ElementsAre(HasSubstr("neither a number nor ISO 8601")));
    EXPECT_THAT(shown(R"({"timestamp":{},"a":1})"), ElementsAre(HasSubstr("neither a number nor ISO 8601")));
}

TEST(JsonMetrics, BadItemsDoNotSpoilOthers) {
    EXPECT_THAT(shown(R"([{"a":1}, 5, {"b":"x"}, {"c":2}])"),
                ElementsAre("a 1", "item 1: an item must be an object", "item 2: no numbers in it", "c 2"));
    EXPECT_THAT(shown("nonsense"), ElementsAre(HasSubstr("error: not JSON")));
    EXPECT_THAT(shown("5"), ElementsAre(HasSubstr("error: neither a list")));
}

TEST(JsonMetrics, Limits) {
    EXPECT_THAT(shown(R"([{"a":1},{"a":2}])", {.max_items = 1}),
                ElementsAre("a 1", HasSubstr("error: more than 1 items")));
    EXPECT_THAT(shown(R"({"a":[1,2,3]})", {.max_samples = 2}), ElementsAre("item 0: more than 2 numbers"));
    EXPECT_THAT(shown(R"({"a":{"a":{"a":1}}})", {.max_depth = 2}), ElementsAre(HasSubstr("nested more than 2")));
    EXPECT_THAT(shown(R"({"abcdef":1})", {.max_name_bytes = 5}), ElementsAre(HasSubstr("longer than 5 bytes")));
    EXPECT_THAT(shown(R"({"host":"abcdef","a":1})", {.max_label_bytes = 5}), ElementsAre(HasSubstr("longer than 5")));
}

}  // namespace
}  // namespace stoker::wire
