#include "collect/engine/identify.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "collect/testing.h"

namespace stoker::collect {
namespace {

using Answers = std::vector<ProbeAnswer>;
using testing::testdata;

// "kind version model,model"
std::string who(const Answers& answers) {
    EngineIdentity identity = identify(*Adapters::built_in(), answers);
    std::string text = identity.kind;
    text += "|" + identity.version + "|";
    for (const auto& model : identity.models) text += (text.back() == '|' ? "" : ",") + model;
    return text;
}

std::string models(const std::string& id, const std::string& owner) {
    return R"({"object":"list","data":[{"id":")" + id + R"(","object":"model","owned_by":")" + owner + R"("}]})";
}

const char* const kNotFound = R"({"detail":"Not Found"})";

TEST(Identify, RealLlamaCpp) {
    Answers answers = {{"/v1/models", 200, "llama.cpp", testdata("llamacpp_v1_models.json")},
                       {"/metrics", 200, "llama.cpp", testdata("llamacpp_metrics.prom")},
                       {"/props", 200, "llama.cpp", testdata("llamacpp_props.json")},
                       {"/version", 404, "llama.cpp", "{}"}};
    EXPECT_EQ(who(answers), "llama.cpp|b1-de3ff81|/models/tiny-random-llama.gguf");
    // Any one of its answers is enough, for it may stand behind a proxy or have metrics switched off.
    for (std::size_t i = 0; i < 3; ++i) {
        ProbeAnswer one = answers[i];
        one.server.clear();
        EXPECT_EQ(identify(*Adapters::built_in(), {one}).kind, "llama.cpp") << one.path;
    }
}

TEST(Identify, EachEngine) {
    struct Row {
        const char* want;
        Answers answers;
    };
    const Row rows[] = {
        {"vllm|0.11.0|m",
         {{"/v1/models", 200, "uvicorn", models("m", "vllm")},
          {"/metrics", 200, "uvicorn", "# HELP x y\nvllm:num_requests_running{engine=\"0\"} 0\n"},
          {"/version", 200, "uvicorn", R"({"version":"0.11.0"})"}}},
        {"sglang|0.5.3|m",
         {{"/v1/models", 200, "uvicorn", models("m", "sglang")},
          {"/metrics", 404, "uvicorn", kNotFound},
          {"/get_server_info", 200, "uvicorn", R"({"version":"0.5.3","model_path":"m","tp_size":1})"}}},
        {"tgi|3.3.4|org/m",
         {{"/v1/models", 200, "", R"({"object":"list","data":[{"id":"org/m","owned_by":"org/m"}]})"},
          {"/info", 200, "",
           R"({"model_id":"org/m","version":"3.3.4","router":"text-generation-router","max_concurrent_requests":128})"}}},
        {"tgi|2.0|org/m",
         {{"/info", 200, "", R"({"model_id":"org/m","version":"2.0","max_concurrent_requests":128})"}}},
        {"ollama|0.12.3|llama3:8b",
         {{"/v1/models", 200, "", models("llama3:8b", "library")},
          {"/metrics", 404, "", "404 page not found"},
          {"/api/version", 200, "", R"({"version":"0.12.3"})"},
          {"/api/tags", 200, "", R"({"models":[{"name":"llama3:8b"}]})"},
          {"/", 200, "", "Ollama is running"}}},
        {"lmdeploy||m", {{"/v1/models", 200, "uvicorn", models("m", "lmdeploy")}}},
        {"tensorrt-llm|1.1|m",
         {{"/v1/models", 200, "uvicorn", models("m", "tensorrt_llm")},
          {"/metrics", 200, "uvicorn", "[]"},
          {"/version", 200, "uvicorn", R"({"version":"1.1"})"}}},
        {"generic||gpt", {{"/v1/models", 200, "", models("gpt", "somebody")}}},
    };
    for (const auto& row : rows) EXPECT_EQ(who(row.answers), row.want);
}

TEST(Identify, NeverTakesOthersForAnEngine) {
    const Answers rows[] = {
        {},
        {{"/v1/models", 404, "nginx", "<html>"}, {"/", 200, "nginx", "<html>Welcome to nginx"}},
        {{"/", 200, "", "Ollama is not here"}, {"/version", 200, "", R"({"version":"1.2"})"}},
        {{"/metrics", 200, "", "# TYPE go_goroutines gauge\ngo_goroutines 5\n"}},
        // Prometheus, which scrapes engines and shows their names only in its own answers.
        {{"/metrics", 200, "", "# HELP prometheus_x about vllm:\nprometheus_x{job=\"vllm:x\"} 1\n"}},
        // Stoker's gateway, passing an engine's words through.
        {{"/v1/models", 200, "stoker", models("m", "vllm")}},
        {{"/v1/models", 200, "", models("m", "stoker")}, {"/metrics", 200, "", "vllm:num_requests_running 1\n"}},
        {{"/metrics", 200, "", "# TYPE stoker_up gauge\nstoker_up 1\n"}},
        // Answers that look like JSON and are not, or are of another shape.
        {{"/v1/models", 200, "", "{\"data\":"}, {"/props", 200, "", "[1,2]"}, {"/info", 200, "", "7"}},
        {{"/v1/models", 200, "", R"({"data":"x"})"}, {"/get_server_info", 200, "", "null"}},
        {{"/props", 500, "", testdata("llamacpp_props.json")}},
    };
    for (const auto& answers : rows) EXPECT_EQ(who(answers), "||");
}

TEST(Identify, SaysWhatTheEngineSaysOfItself) {
    const auto llama = identify(*Adapters::built_in(), {{"/v1/models", 200, "", testdata("llamacpp_v1_models.json")},
                                                        {"/props", 200, "", testdata("llamacpp_props.json")}});
    EXPECT_EQ(llama.context_length, 4096);
    EXPECT_EQ(llama.quantization, "(guessed) F16");
    const auto sglang = identify(
        *Adapters::built_in(),
        {{"/v1/models", 200, "", models("m", "sglang")},
         {"/get_server_info", 200, "",
          R"({"version":"0.5.3","model_path":"m","context_length":null,"quantization":"fp8","dtype":"bfloat16"})"}});
    EXPECT_EQ(sglang.context_length, 0);
    EXPECT_EQ(sglang.quantization, "fp8");
    EXPECT_EQ(sglang.dtype, "bfloat16");
}

TEST(Identify, AsksOnlyWhatTheKindAnswers) {
    const Adapters& adapters = *Adapters::built_in();
    EXPECT_EQ(further_questions(adapters, "vllm"), std::vector<std::string>{"/version"});
    EXPECT_EQ(further_questions(adapters, "llama.cpp"), std::vector<std::string>{"/props"});
    const auto unknown = further_questions(adapters, "");
    for (const char* path : {"/version", "/props", "/info", "/get_server_info", "/api/version", "/", "/v2"}) {
        EXPECT_EQ(std::count(unknown.begin(), unknown.end(), path), 1) << path;
    }
}

}  // namespace
}  // namespace stoker::collect
