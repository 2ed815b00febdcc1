#include "collect/engine/canonical.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "collect/testing.h"
#include "wire/prometheus_text.h"

namespace stoker::collect {
namespace {

using Values = std::map<std::string, std::string>;

// The canonical values of a page, as text.
Values canonical(std::string_view page, std::string_view kind = "", std::string_view version = "") {
    Canonical table(CanonicalPlan::make(Adapters::built_in(), kind, version));
    const auto read = wire::parse_exposition(page, wire::ExpositionFormat::Prometheus);
    EXPECT_TRUE(read.has_value()) << (read ? "" : read.error().message);
    if (read) {
        for (const auto& sample : *read) table.add(sample.name, sample.labels, sample.value);
    }
    Values out;
    for (const auto& value : table.values()) {
        SampleBatch::Pairs labels = value.labels;
        labels.emplace_back("__name__", value.name);
        out[tsdb::Labels(std::move(labels)).text()] = format_number(value.value);
    }
    return out;
}

TEST(Canonical, VllmAddsEnginesAndTakesTheFullestCache) {
    EXPECT_EQ(canonical(R"(
vllm:num_requests_running{engine="0",model_name="m"} 3
vllm:num_requests_running{engine="1",model_name="m"} 4
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25
vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.5
vllm:prompt_tokens_total{engine="0",model_name="m"} 100
vllm:time_to_first_token_seconds_bucket{engine="0",model_name="m",le="0.1"} 1
vllm:time_to_first_token_seconds_bucket{engine="1",model_name="m",le="0.1"} 2
vllm:time_to_first_token_seconds_count{engine="0",model_name="m"} 5
)"),
              (Values{{R"(llm_engine_requests_running{model="m",source="native"})", "7"},
                      {R"(llm_engine_kv_usage_ratio{model="m",source="native"})", "0.5"},
                      {R"(llm_engine_prompt_tokens_total{model="m",source="native"})", "100"},
                      {R"(llm_engine_time_to_first_token_seconds_bucket{le="0.1",model="m",source="native"})", "3"},
                      {R"(llm_engine_time_to_first_token_seconds_count{model="m",source="native"})", "5"}}));
}

TEST(Canonical, VllmInItsOtherSpellings) {
    Values want{{R"(llm_engine_requests_waiting{model="m",source="native"})", "2"},
                {R"(llm_engine_generation_tokens_total{model="m",source="native"})", "9"}};
    EXPECT_EQ(canonical("vllm_num_requests_waiting{model_name=\"m\"} 2\nvllm_generation_tokens{model_name=\"m\"} 9\n"),
              want);
    EXPECT_EQ(canonical("ray_vllm_num_requests_waiting{model_name=\"m\",WorkerId=\"w\"} 2\n"
                        "ray_vllm_generation_tokens_total{model_name=\"m\"} 9\n"),
              want);
    EXPECT_EQ(canonical("vllm:gpu_cache_usage_perc 0.75\n"),
              (Values{{R"(llm_engine_kv_usage_ratio{source="native"})", "0.75"}}));
}

TEST(Canonical, SgLangRanksSayTheSameThing) {
    EXPECT_EQ(canonical(R"(
sglang:num_running_reqs{model_name="m",tp_rank="0",dp_rank="0"} 5
sglang:num_running_reqs{model_name="m",tp_rank="1",dp_rank="0"} 5
sglang:num_running_reqs{model_name="m",tp_rank="0",dp_rank="1"} 2
sglang:token_usage{model_name="m",tp_rank="0"} 0.1
)"),
              (Values{{R"(llm_engine_requests_running{model="m",source="native"})", "7"},
                      {R"(llm_engine_kv_usage_ratio{model="m",source="native"})", "0.1"}}));
}

TEST(Canonical, TgiLmDeployTensorRt) {
    EXPECT_EQ(canonical("tgi_queue_size 2\ntgi_batch_current_size 3\ntgi_request_generated_tokens_sum 40\n"
                        "tgi_request_input_length_sum 50\n"),
              (Values{{R"(llm_engine_requests_waiting{source="native"})", "2"},
                      {R"(llm_engine_requests_running{source="native"})", "3"},
                      {R"(llm_engine_generation_tokens_total{source="derived"})", "40"},
                      {R"(llm_engine_prompt_tokens_total{source="derived"})", "50"}}));
    EXPECT_EQ(canonical("lmdeploy:gpu_cache_usage_perc{model_name=\"m\"} 0.5\n"),
              (Values{{R"(llm_engine_kv_usage_ratio{model="m",source="native"})", "0.5"}}));
    EXPECT_EQ(canonical("trtllm_kv_cache_utilization{model_name=\"m\"} 0.5\n"),
              (Values{{R"(llm_engine_kv_usage_ratio{model="m",source="native"})", "0.5"}}));
}

TEST(Canonical, RealLlamaCppPage) {
    // Recorded after one request of 2 new prompt tokens and 5 answered.
    Values got = canonical(testing::testdata("llamacpp_metrics.prom"));
    EXPECT_EQ(got[R"(llm_engine_prompt_tokens_total{source="derived"})"], "2");
    EXPECT_EQ(got[R"(llm_engine_generation_tokens_total{source="native"})"], "5");
    EXPECT_EQ(got[R"(llm_engine_requests_running{source="native"})"], "0");
    EXPECT_EQ(got[R"(llm_engine_requests_waiting{source="native"})"], "0");
    EXPECT_FALSE(got.contains(R"(llm_engine_kv_usage_ratio{source="native"})"));  // It does not tell: absent, not 0.
}

TEST(Canonical, NamesOldAndNewDoNotAddUp) {
    EXPECT_EQ(canonical("vllm:kv_cache_usage_perc 0.5\nvllm:gpu_cache_usage_perc 0.5\n"
                        "vllm_num_requests_running 2\nvllm:num_requests_running 2\n"),
              (Values{{R"(llm_engine_kv_usage_ratio{source="native"})", "0.5"},
                      {R"(llm_engine_requests_running{source="native"})", "2"}}));
}

TEST(Canonical, VersionsDecideAboutUnits) {
    const char* page = "vllm:gpu_prefix_cache_hits_total 3\n";
    EXPECT_EQ(canonical(page, "vllm", "0.8.5"),
              (Values{{R"(llm_engine_prefix_cache_hit_tokens_total{source="estimated"})", "48"}}));
    EXPECT_EQ(canonical(page, "vllm", "0.11.0"), Values{});
    EXPECT_EQ(canonical(page, "vllm", ""), Values{}) << "of an unknown version nothing is assumed";
}

TEST(Canonical, NumbersInLabels) {
    EXPECT_EQ(canonical(R"(
vllm:cache_config_info{block_size="16",num_gpu_blocks="100",engine="0"} 1
vllm:cache_config_info{block_size="16",num_gpu_blocks="50",engine="1"} 1
vllm:cache_config_info{block_size="16",num_gpu_blocks="None",engine="2"} 1
vllm:lora_requests_info{max_lora="4",running_lora_adapters="old,older",waiting_lora_adapters=""} 100
vllm:lora_requests_info{max_lora="4",running_lora_adapters="sql",waiting_lora_adapters="a,b,c"} 200
)",
                        "vllm"),
              (Values{{R"(llm_engine_kv_capacity_tokens{source="derived"})", "2400"},
                      {R"(llm_engine_lora_adapters_running{source="derived"})", "1"},
                      {R"(llm_engine_lora_adapters_waiting{source="derived"})", "3"},
                      {R"(llm_engine_lora_slots{source="derived"})", "4"}}));
}

TEST(Canonical, LabelsThatStay) {
    EXPECT_EQ(
        canonical(R"(
vllm:request_success_total{engine="0",finished_reason="stop",model_name="m"} 3
vllm:request_success_total{engine="1",finished_reason="stop",model_name="m"} 4
vllm:request_success_total{engine="0",finished_reason="abort",model_name="m"} 1
)",
                  "vllm"),
        (Values{{R"(llm_engine_requests_finished_total{finish_reason="stop",model="m",source="native"})", "7"},
                {R"(llm_engine_requests_finished_total{finish_reason="abort",model="m",source="native"})", "1"}}));
}

TEST(Canonical, TritonByItsLabelsAndUnits) {
    EXPECT_EQ(
        canonical(R"(
nv_trt_llm_request_metrics{model="tensorrt_llm",request_type="waiting",version="1"} 3
nv_trt_llm_request_metrics{model="tensorrt_llm",request_type="scheduled",version="1"} 4
nv_trt_llm_request_metrics{model="tensorrt_llm",request_type="max",version="1"} 512
nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="fraction",model="tensorrt_llm",version="1"} 0.25
nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="tokens_per",model="tensorrt_llm",version="1"} 64
nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="max",model="tensorrt_llm",version="1"} 100
nv_inference_request_duration_us{model="tensorrt_llm",version="1"} 2500000
nv_inference_first_response_histogram_ms_bucket{model="tensorrt_llm",le="500"} 2
nv_inference_first_response_histogram_ms_sum{model="tensorrt_llm"} 300
nv_inference_first_response_histogram_ms_count{model="tensorrt_llm"} 2
)",
                  "triton"),
        (Values{
            {R"(llm_engine_requests_waiting{model="tensorrt_llm",source="native"})", "3"},
            {R"(llm_engine_requests_running{model="tensorrt_llm",source="native"})", "4"},
            {R"(llm_engine_kv_usage_ratio{model="tensorrt_llm",source="native"})", "0.25"},
            {R"(llm_engine_kv_capacity_tokens{model="tensorrt_llm",source="derived"})", "6400"},
            {R"(llm_engine_request_duration_seconds_sum{model="tensorrt_llm",source="native"})", "2.5"},
            {R"(llm_engine_time_to_first_token_seconds_bucket{le="0.5",model="tensorrt_llm",source="estimated"})", "2"},
            {R"(llm_engine_time_to_first_token_seconds_sum{model="tensorrt_llm",source="estimated"})", "0.3"},
            {R"(llm_engine_time_to_first_token_seconds_count{model="tensorrt_llm",source="estimated"})", "2"}}));
}

TEST(Canonical, SgLangsPrioritiesHaveATotal) {
    EXPECT_EQ(canonical(R"(
sglang:num_queue_reqs{model_name="m",priority="",tp_rank="0"} 5
sglang:num_queue_reqs{model_name="m",priority="1",tp_rank="0"} 2
sglang:num_queue_reqs{model_name="m",priority="7",tp_rank="0"} 3
)",
                        "sglang"),
              (Values{{R"(llm_engine_requests_waiting{model="m",source="native"})", "5"}}));
}

TEST(Canonical, NothingIsMadeOfNothing) {
    EXPECT_EQ(canonical("vllm:kv_cache_usage_perc NaN\n", "vllm"), Values{});
    EXPECT_EQ(canonical("trtllm_kv_cache_max_blocks 10\n", "tensorrt-llm"), Values{}) << "without its factor";
    EXPECT_EQ(canonical("vllm:num_requests_running 1\n", "sglang"), Values{}) << "another engine's name";
}

}  // namespace
}  // namespace stoker::collect
