#include "collect/scrape/scrape.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collect/testing.h"

namespace stoker::collect {
namespace {

using ::testing::HasSubstr;
using testing::values;
using Values = std::map<std::string, std::string>;

constexpr std::string_view kPage =
    "# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running{model_name=\"m\"} 1\n"
    "# TYPE other counter\nother{instance=\"x\"} 2\n";

class ScrapeTest : public ::testing::Test {
protected:
    Values page(std::string_view text) {
        scraped = {};
        result = scrape.scraped(text, PageFormat::Prometheus, from_millis(time += 1000), std::chrono::milliseconds{20},
                                scraped);
        out = scraped.samples;
        return values(out);
    }

    Scrape scrape{{{"job", "engine"}, {"instance", "h:1"}, {"engine", "vllm"}, {"pool", ""}}, ScrapeLimits{10, {}}};
    Scraped scraped;
    std::int64_t time = 0;
    std::vector<tsdb::SeriesSample> out;
    Result<std::size_t> result;
};

TEST_F(ScrapeTest, KeepsOwnNamesAndAddsCanonicalOnes) {
    EXPECT_EQ(page(kPage), (Values{{R"(vllm:num_requests_running{engine="vllm",model_name="m"})", "1"},
                                   {R"(other{engine="vllm",exported_instance="x"})", "2"},
                                   {R"(llm_engine_requests_running{engine="vllm",model="m",source="native"})", "1"},
                                   {R"(up{engine="vllm"})", "1"},
                                   {R"(llm_engine_up{engine="vllm"})", "1"},
                                   {R"(scrape_duration_seconds{engine="vllm"})", "0.02"},
                                   {R"(scrape_samples_scraped{engine="vllm"})", "2"}}));
    EXPECT_EQ(*result, 2u);
    EXPECT_EQ(out[0].sample.time, 1000);
    EXPECT_EQ(out[0].labels.get("instance"), "h:1");
}

TEST_F(ScrapeTest, SaysWhatTheEngineIs) {
    EngineIdentity identity;
    identity.kind = "vllm";
    identity.version = "0.11.0";
    identity.models = {"m"};
    identity.context_length = 4096;
    scrape.set_engine(CanonicalPlan::make(Adapters::built_in(), "vllm", "0.11.0"), Adapters::built_in()->find("vllm"),
                      identity);
    auto got = page(kPage);
    EXPECT_EQ(got[R"(llm_engine_info{engine="vllm",model="m",source="native",version="0.11.0"})"], "1");
    EXPECT_EQ(got[R"(llm_engine_context_length_tokens{engine="vllm",source="native"})"], "4096");
}

TEST_F(ScrapeTest, WhatLooksWrongIsASeriesWhileItDoes) {
    const auto kv = [](const char* value) {
        return std::string("# TYPE vllm:kv_cache_usage_perc gauge\nvllm:kv_cache_usage_perc ") + value + "\n";
    };
    const std::string series = R"(stoker_engine_finding{engine="vllm",finding="share_out_of_range",severity="error"})";
    EXPECT_EQ(page(kv("42"))[series], "1");
    EXPECT_EQ(page(kv("0.42"))[series], "stale");
    EXPECT_FALSE(page(kv("0.42")).contains(series));
    out.clear();
    scrape.inspector().look_at_failure(200, "{}", "not a metrics page");
    scrape.failed(true, from_millis(9000), std::chrono::milliseconds{5}, out);
    EXPECT_EQ(values(out)[R"(stoker_engine_finding{engine="vllm",finding="json_page",severity="error"})"], "1");
}

TEST_F(ScrapeTest, WhatDisappearsEndsOnce) {
    page(kPage);
    auto got = page("# TYPE other counter\nother{instance=\"x\"} 3\n");
    EXPECT_EQ(got[R"(vllm:num_requests_running{engine="vllm",model_name="m"})"], "stale");
    EXPECT_EQ(got[R"(llm_engine_requests_running{engine="vllm",model="m",source="native"})"], "stale");
    EXPECT_EQ(got[R"(other{engine="vllm",exported_instance="x"})"], "3");
    EXPECT_FALSE(page("# TYPE other counter\nother 1\n")
                     .contains(R"(llm_engine_requests_running{engine="vllm",model="m",source="native"})"));
}

TEST_F(ScrapeTest, FailureEndsAllButUp) {
    page(kPage);
    out.clear();
    scrape.failed(true, from_millis(9000), std::chrono::milliseconds{5}, out);
    auto got = values(out);
    EXPECT_EQ(got[R"(up{engine="vllm"})"], "0");
    EXPECT_EQ(got[R"(llm_engine_up{engine="vllm"})"], "1");
    EXPECT_EQ(got[R"(other{engine="vllm",exported_instance="x"})"], "stale");
    out.clear();
    scrape.ended(from_millis(9500), out);
    EXPECT_EQ(values(out)[R"(up{engine="vllm"})"], "stale");
    EXPECT_EQ(out.size(), 4u);
}

TEST_F(ScrapeTest, BadPagesGiveNothing) {
    for (const char* text : {"{\"requests\": 1}", "", "<html></html>", "plain 1\n", "# TYPE a counter\na 1\nb{ 2\n"}) {
        EXPECT_TRUE(page(text).empty()) << text;
        EXPECT_FALSE(result.has_value()) << text;
    }
    std::string many = "# TYPE a gauge\n";
    for (int i = 0; i < 11; ++i) many += "a{i=\"" + std::to_string(i) + "\"} 1\n";
    EXPECT_TRUE(page(many).empty());
    EXPECT_EQ(result.error().code, Errc::ResourceExhausted);
}

TEST_F(ScrapeTest, NewTargetLabelsEndTheOldSeries) {
    page(kPage);
    scrape.set_target({{"job", "engine"}, {"instance", "h:1"}, {"engine", "sglang"}});
    auto got = page(kPage);
    EXPECT_EQ(got[R"(up{engine="vllm"})"], "stale");
    EXPECT_EQ(got[R"(up{engine="sglang"})"], "1");
}

TEST_F(ScrapeTest, ExemplarsStartsAndMetadataComeAlong) {
    const char* text =
        "# TYPE a counter\n# HELP a Some.\na_total{x=\"1\"} 3 # {trace_id=\"t\"} 1 0.5\na_created{x=\"1\"} 0.25\n# "
        "EOF\n";
    const auto scrape_once = [&] {
        scraped = {};
        result = scrape.scraped(text, PageFormat::OpenMetrics, from_millis(time += 1000), std::chrono::milliseconds{20},
                                scraped);
        ASSERT_TRUE(result.has_value()) << result.error().message;
    };
    scrape_once();
    EXPECT_EQ(scraped.samples.at(0).start_time, 250);
    EXPECT_EQ(scraped.samples.at(0).labels.text(), R"(a_total{engine="vllm",instance="h:1",job="engine",x="1"})");
    ASSERT_EQ(scraped.exemplars.size(), 1u);
    EXPECT_EQ(scraped.exemplars[0].series, scraped.samples[0].labels);
    EXPECT_EQ(scraped.exemplars[0].exemplars.at(0), (tsdb::Exemplar{tsdb::Labels{{"trace_id", "t"}}, 1, 500}));
    ASSERT_EQ(scraped.metadata.size(), 1u);
    EXPECT_EQ(scraped.metadata[0].metadata, (tsdb::MetricMetadata{"counter", "Some.", ""}));
    scrape_once();
    EXPECT_TRUE(scraped.metadata.empty()) << "nothing new";
    EXPECT_TRUE(scraped.exemplars.empty()) << "nor here";
}

TEST_F(ScrapeTest, NativeHistogramsComeInProtobuf) {
    // MetricFamily{name: "h", type: HISTOGRAM, metric: {histogram: {count 3, sum 1.5, schema 0, threshold, zero 1,
    // span {0, 2}, deltas [1, 0]}}}
    const std::string histogram(
        "\x08\x03\x11\0\0\0\0\0\0\xf8\x3f\x28\x00\x31\0\0\0\0\0\0\xf0\x3c\x38\x01\x62\x04"
        "\x08\x00\x10\x02\x6a\x02\x02\x00",
        34);
    const auto wrap = [](char tag, const std::string& message) {
        return std::string(1, tag) + static_cast<char>(message.size()) + message;
    };
    const std::string family = "\x0a\x01h\x18\x04" + wrap('\x22', wrap('\x3a', histogram));
    const std::string body = static_cast<char>(family.size()) + family;
    result = scrape.scraped(body, PageFormat::Protobuf, from_millis(1000), std::chrono::milliseconds{20}, scraped);
    ASSERT_TRUE(result.has_value()) << result.error().message;
    ASSERT_TRUE(scraped.samples.at(0).histogram);
    EXPECT_EQ(scraped.samples[0].histogram->count, 3);
    EXPECT_EQ(scraped.samples[0].histogram->positive, (std::vector<double>{1, 1}));
    EXPECT_EQ(page_format("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"),
              PageFormat::Protobuf);
}

TEST(ScrapePage, WithoutTypesItIsOneOnlyWhereThatIsAskedFor) {
    ScrapeLimits limits;
    EXPECT_FALSE(read_page("a_total 5\n", PageFormat::Prometheus, 0, limits));
    limits.untyped = true;
    const auto page = read_page("a_total 5\n", PageFormat::Prometheus, 0, limits);
    ASSERT_TRUE(page) << page.error().message;
    EXPECT_EQ(page->samples.size(), 1u);
    for (const char* none : {"", "<html><body>not found</body></html>\n", "{\"status\":\"ok\"}\n"}) {
        EXPECT_FALSE(read_page(none, PageFormat::Prometheus, 0, limits)) << none;
    }
}

TEST(ScrapePage, LabelLimitsNameTheLabel) {
    ScrapeLimits limits;
    limits.labels = {.max_labels = 3, .max_name_bytes = 5, .max_value_bytes = 6};
    const auto read = [&](const std::string& line) {
        auto page = read_page("# TYPE a gauge\n" + line, PageFormat::Prometheus, 0, limits);
        return page ? std::string("fine") : page.error().message;
    };
    EXPECT_EQ(read("a{b=\"1\",c=\"2\"} 1"), "fine");
    EXPECT_EQ(read("a{b=\"1\",c=\"2\",d=\"3\"} 1"), "a: more than 3 labels");
    EXPECT_THAT(read("a{abcdef=\"1\"} 1"), HasSubstr("the label abcdef... has a name longer than 5"));
    EXPECT_THAT(read("a{b=\"1234567\"} 1"), HasSubstr("the value of b is longer than 6 bytes"));
}

}  // namespace
}  // namespace stoker::collect
