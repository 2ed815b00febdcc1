#include "collect/engine/inspector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace stoker::collect {
namespace {

// Looks at pages of one engine; what is found comes as "severity code metric", the worst first.
class InspectorTest : public ::testing::Test {
protected:
    void engine(const std::string& kind, const std::string& version = "1.0") {
        plan_ = CanonicalPlan::make(Adapters::built_in(), kind, version);
        EngineIdentity identity;
        identity.kind = kind;
        identity.version = version;
        inspector_.set_engine(plan_, Adapters::built_in()->find(kind), identity);
    }

    std::string look(const std::string& text, std::optional<GatewayCount> gateway = {}) {
        const auto page = read_page(text, PageFormat::Prometheus, 0, {});
        if (!page) return page.error().message;
        Canonical canonical(plan_);
        for (const auto& sample : page->samples) canonical.add(sample.name, sample.labels, sample.value);
        inspector_.look(*page, canonical.values(), gateway);
        return found();
    }

    std::string found() const {
        std::string out;
        for (const auto& finding : inspector_.findings()) {
            out += (out.empty() ? "" : "; ") + std::string(to_string(finding.severity)) + " " +
                   std::string(to_string(finding.code)) + (finding.metric.empty() ? "" : " " + finding.metric);
            EXPECT_FALSE(finding.text.empty());
            EXPECT_FALSE(finding.fix.empty()) << finding.text;
        }
        return out;
    }

    Inspector inspector_;

private:
    std::shared_ptr<const CanonicalPlan> plan_;
};

// A page of vLLM's with the metrics that matter here.
std::string vllm(double running, double kv, double prompt, double generation) {
    const auto number = [](double value) { return std::to_string(value); };
    return "# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running{model_name=\"m\"} " + number(running) +
           "\n# TYPE vllm:num_requests_waiting gauge\nvllm:num_requests_waiting{model_name=\"m\"} 0\n"
           "# TYPE vllm:kv_cache_usage_perc gauge\nvllm:kv_cache_usage_perc{model_name=\"m\"} " +
           number(kv) + "\n# TYPE vllm:prompt_tokens counter\nvllm:prompt_tokens_total{model_name=\"m\"} " +
           number(prompt) + "\n# TYPE vllm:generation_tokens counter\nvllm:generation_tokens_total{model_name=\"m\"} " +
           number(generation) + "\n";
}

TEST_F(InspectorTest, FindsNothingInAGoodPage) {
    engine("vllm");
    EXPECT_EQ(look(vllm(0, 0, 0, 0)), "");
    EXPECT_EQ(look(vllm(2, 0.1, 100, 50)), "");
    EXPECT_EQ(look(vllm(0, 0, 200, 90)), "");
}

TEST_F(InspectorTest, WhatIsNoPage) {
    engine("tensorrt-llm");
    inspector_.look_at_failure(200, " [{\"iter\":1}]", "not a metrics page");
    EXPECT_EQ(found(), "error json_page");
    EXPECT_THAT(inspector_.findings().front().fix, ::testing::HasSubstr("/prometheus/metrics"));
    inspector_.look_at_failure(200, "<html>", "not a metrics page");
    EXPECT_EQ(found(), "error unreadable_page");
    engine("llama.cpp");
    inspector_.look_at_failure(501, "{}", "HTTP status 501");
    EXPECT_EQ(found(), "warning no_metrics");
    EXPECT_THAT(inspector_.findings().front().fix, ::testing::HasSubstr("`--metrics`"));
    inspector_.look_at_failure(401, "", "HTTP status 401");
    EXPECT_THAT(inspector_.findings().front().fix, ::testing::HasSubstr("api_key"));
    inspector_.look_at_silence();
    EXPECT_EQ(found(), "");
}

TEST_F(InspectorTest, APageOfSomethingElse) {
    engine("vllm");
    EXPECT_EQ(look("# TYPE go_goroutines gauge\ngo_goroutines 5\n"), "warning empty");
}

TEST_F(InspectorTest, ZerosThatCantBe) {
    engine("vllm");
    EXPECT_EQ(look(vllm(0, 0, 0, 50)), "warning constant_zero vllm:prompt_tokens");
    EXPECT_EQ(look(vllm(1, 0, 10, 60)), "") << "once may be chance";
    EXPECT_EQ(look(vllm(1, 0, 20, 70)), "");
    EXPECT_EQ(look(vllm(1, 0, 30, 80)), "warning constant_zero vllm:kv_cache_usage_perc");
    EXPECT_EQ(look(vllm(1, 0.1, 40, 90)), "");
    for (int i = 0; i < 3; ++i) EXPECT_EQ(look(vllm(0, 0, 100, 100 + i * 600)), "") << i;
    EXPECT_EQ(look(vllm(0, 0, 100, 5000)), "warning constant_zero vllm:num_requests_running");
}

TEST_F(InspectorTest, CountersFallWithAndWithoutARestart) {
    engine("vllm");
    EXPECT_EQ(look(vllm(0, 0, 100, 50)), "");
    EXPECT_EQ(look(vllm(0, 0, 10, 5)), "") << "all began anew";
    EXPECT_EQ(look(vllm(0, 0, 100, 50)), "");
    EXPECT_EQ(look(vllm(0, 0, 110, 20)), "error counter_fell vllm:generation_tokens_total");
    EXPECT_EQ(look(vllm(0, 0, 120, 30)), "error counter_fell vllm:generation_tokens_total") << "told for a while";
    for (int i = 0; i < 20; ++i) (void)look(vllm(0, 0, 120, 30));
    EXPECT_EQ(found(), "");
    const std::string start = "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds ";
    EXPECT_EQ(look(vllm(0, 0, 120, 30) + start + "5\n"), "");
    EXPECT_EQ(look(vllm(0, 0, 130, 1) + start + "6\n"), "") << "another process";
}

TEST_F(InspectorTest, NumbersThatComeTwice) {
    engine("vllm");
    EXPECT_EQ(look("# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running 1\n"
                   "vllm:num_requests_running 2\n"),
              "error duplicate_series vllm:num_requests_running");
    const std::string twice =
        "# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running{pid=\"1\"} 4\n"
        "vllm:num_requests_running{pid=\"2\"} 4\n# TYPE vllm:num_requests_waiting gauge\n"
        "vllm:num_requests_waiting{pid=\"1\"} 3\nvllm:num_requests_waiting{pid=\"2\"} ";
    EXPECT_EQ(look(twice + "3\n"), "warning duplicate_ranks vllm:num_requests_waiting");
    EXPECT_EQ(look(twice + "5\n"), "") << "one that is equal may be chance";
    engine("sglang");
    EXPECT_EQ(look("# TYPE sglang:num_queue_reqs gauge\nsglang:num_queue_reqs{tp_rank=\"0\"} 4\n"
                   "sglang:num_queue_reqs{tp_rank=\"1\"} 4\n# TYPE sglang:token_usage gauge\n"
                   "sglang:token_usage{tp_rank=\"0\"} 0.5\nsglang:token_usage{tp_rank=\"1\"} 0.5\n"),
              "")
        << "known of SGLang, and not added up";
}

TEST_F(InspectorTest, SharesAreShares) {
    engine("vllm");
    EXPECT_EQ(look(vllm(1, 42, 1, 1)), "error share_out_of_range vllm:kv_cache_usage_perc");
    EXPECT_THAT(inspector_.findings().front().fix, ::testing::HasSubstr("scale: 0.01"));
}

TEST_F(InspectorTest, TheGatewayKnowsBetter) {
    engine("vllm");
    for (int i = 0; i < 4; ++i) EXPECT_EQ(look(vllm(0, 0, 10, 10), GatewayCount{3, 0}), "") << i;
    EXPECT_EQ(look(vllm(0, 0, 10, 10), GatewayCount{3, 0}), "warning count_disagrees vllm:num_requests_running");
    EXPECT_EQ(look(vllm(1, 0.1, 10, 10), GatewayCount{3, 0}), "");
    for (double answers = 1; answers < 5; ++answers) {
        EXPECT_EQ(look(vllm(1, 0.1, 10, 10), GatewayCount{1, answers}), "") << answers;
    }
    EXPECT_EQ(look(vllm(1, 0.1, 10, 10), GatewayCount{1, 5}), "error count_disagrees vllm:generation_tokens");
    EXPECT_EQ(look(vllm(1, 0.1, 10, 11), GatewayCount{1, 6}), "");
}

TEST_F(InspectorTest, QuirksOfTheVersion) {
    engine("vllm", "0.9.2");
    EXPECT_EQ(look("# TYPE vllm:gpu_cache_usage_perc gauge\nvllm:gpu_cache_usage_perc 0.5\n"),
              "note quirk vllm:gpu_cache_usage_perc");
    engine("vllm", "0.11.0");
    EXPECT_EQ(look("# TYPE vllm:gpu_cache_usage_perc gauge\nvllm:gpu_cache_usage_perc 0.5\n"), "");
}

TEST_F(InspectorTest, AnotherEngineIsAnotherStory) {
    engine("vllm");
    (void)look(vllm(0, 0, 100, 50));
    engine("vllm", "2.0");
    EXPECT_EQ(look(vllm(0, 0, 110, 20)), "");
}

TEST(Findings, HaveNamesOfTheirOwn) {
    std::set<std::string_view> names;
    for (int i = 0; i <= static_cast<int>(kLastFindingCode); ++i) names.insert(to_string(static_cast<FindingCode>(i)));
    EXPECT_EQ(names.size(), static_cast<std::size_t>(kLastFindingCode) + 1);
}

}  // namespace
}  // namespace stoker::collect
