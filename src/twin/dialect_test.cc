#include "twin/dialect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "twin/bad_metrics.h"
#include "twin/dialect_names.h"
#include "wire/prometheus_text.h"

namespace stoker::twin {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kPage =
    "# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running{engine=\"0\",model_name=\"m\"} 2\n"
    "# TYPE vllm:kv_cache_usage_perc gauge\nvllm:kv_cache_usage_perc{engine=\"0\",model_name=\"m\"} 0.5\n"
    "# TYPE vllm:prompt_tokens_total counter\nvllm:prompt_tokens_total{engine=\"0\",model_name=\"m\"} 100\n"
    "# TYPE vllm:prefix_cache_hits_total counter\nvllm:prefix_cache_hits_total{engine=\"0\",model_name=\"m\"} 40\n"
    "# TYPE vllm:time_to_first_token_seconds histogram\n"
    "vllm:time_to_first_token_seconds_bucket{engine=\"0\",model_name=\"m\",le=\"0.5\"} 3\n"
    "vllm:time_to_first_token_seconds_bucket{engine=\"0\",model_name=\"m\",le=\"+Inf\"} 4\n"
    "vllm:time_to_first_token_seconds_sum{engine=\"0\",model_name=\"m\"} 1.5\n"
    "vllm:time_to_first_token_seconds_count{engine=\"0\",model_name=\"m\"} 4\n";

std::string spoken(const char* name) {
    const auto dialect = find_dialect(name);
    EXPECT_TRUE(dialect.has_value());
    return dialect_page(*dialect, kPage, {"m", "1", *find_profile("tiny")});
}

TEST(Dialect, EachPageIsAPageOfItsOwn) {
    EXPECT_EQ(spoken("vllm"), kPage);
    for (const char* name : {"sglang", "tgi", "tensorrt-llm", "triton", "lmdeploy", "llama.cpp", "ray-serve-llm"}) {
        const std::string page = spoken(name);
        const auto read = wire::parse_exposition(page, wire::ExpositionFormat::Prometheus);
        ASSERT_TRUE(read.has_value()) << name << ": " << read.error().message << "\n" << page;
        EXPECT_FALSE(read->empty()) << name;
        EXPECT_THAT(page, Not(HasSubstr("vllm:"))) << name;
    }
}

TEST(Dialect, UnitsLabelsAndMeanings) {
    EXPECT_THAT(spoken("triton"),
                HasSubstr("nv_inference_first_response_histogram_ms_bucket{model=\"m\",version=\"1\",le=\"500\"} 3\n"));
    EXPECT_THAT(spoken("triton"), HasSubstr("{model=\"m\",version=\"1\",request_type=\"scheduled\"} 2\n"));
    EXPECT_THAT(spoken("llama.cpp"), HasSubstr("llamacpp:prompt_tokens_total 60\n")) << "without those from the cache";
    EXPECT_THAT(spoken("sglang"), HasSubstr("tp_rank=\"1\"} 2\n")) << "every rank says it";
}

TEST(Dialect, Endpoints) {
    const DialectFacts facts{"m", "9.9", *find_profile("tiny")};
    const auto at = [&](const char* name, const char* path) {
        return dialect_state(*find_dialect(name), path, facts).value_or("none");
    };
    EXPECT_THAT(at("sglang", "/get_server_info"), HasSubstr(R"("version":"9.9")"));
    EXPECT_EQ(at("ollama", "/"), "Ollama is running");
    EXPECT_THAT(at("ollama", "/api/ps"), HasSubstr(R"("models":[{)"));
    EXPECT_EQ(at("tensorrt-llm", "/metrics"), "[]");
    EXPECT_EQ(at("vllm", "/props"), "none");
    EXPECT_THAT(find_dialect("klingon").error().message, HasSubstr("known: vllm, sglang"));
}

TEST(BadMetrics, Bends) {
    EXPECT_THAT(bend_page("percent", kPage, 0),
                HasSubstr("vllm:kv_cache_usage_perc{engine=\"0\",model_name=\"m\"} 50\n"));
    EXPECT_THAT(bend_page("zero", kPage, 0), HasSubstr("vllm:prompt_tokens_total{engine=\"0\",model_name=\"m\"} 0\n"));
    EXPECT_EQ(bend_page("falling", kPage, 0), kPage);
    EXPECT_THAT(bend_page("falling", kPage, 1),
                HasSubstr("vllm:prompt_tokens_total{engine=\"0\",model_name=\"m\"} 50\n"));
    EXPECT_THAT(bend_page("duplicate", kPage, 0), HasSubstr("model_name=\"m\",pid=\"2\"} 2\n"));
}

}  // namespace
}  // namespace stoker::twin
