// What lists of models say of the engine and of its LoRA adapters.
#include "gateway/upstream/engine_kind.h"

#include <gmock/gmock.h>

namespace stoker::gateway {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// As vLLM 0.11 and SGLang 0.5 write them, shortened.
constexpr std::string_view kVllm = R"({"object":"list","data":[
  {"id":"llama","object":"model","created":1,"owned_by":"vllm","root":"meta/llama","parent":null,"max_model_len":8192,
   "permission":[{"id":"modelperm-1","object":"model_permission","allow_sampling":true}]},
  {"id":"sql","object":"model","created":1,"owned_by":"vllm","root":"/a/sql","parent":"llama","max_model_len":null},
  {"id":"code","object":"model","created":1,"owned_by":"vllm","root":"/a/code","parent":"meta/llama"}]})";
constexpr std::string_view kSglang = R"({"object":"list","data":[
  {"id":"qwen","object":"model","created":1,"owned_by":"sglang","root":"qwen","parent":null,"max_model_len":32768},
  {"id":"lora0","object":"model","created":1,"owned_by":"sglang","root":"x/lora0","parent":"qwen"}]})";

TEST(EngineKind, KnowsEnginesByTheOwnerOfTheirModels) {
    EXPECT_EQ(engine_of_models(kVllm), EngineKind::Vllm);
    EXPECT_EQ(engine_of_models(kSglang), EngineKind::Sglang);
    EXPECT_EQ(engine_of_models(R"({"data":[{"id":"m","owned_by":"llamacpp"}]})"), EngineKind::LlamaCpp);
    EXPECT_EQ(engine_of_models(R"({"data":[{"id":"a","owned_by":"me"},{"id":"m","owned_by":"vllm"}]})"),
              EngineKind::Vllm);
    EXPECT_EQ(engine_of_models(R"({"data":[{"id":"m","owned_by":"me"}]})"), EngineKind::Other);
    EXPECT_EQ(engine_of_models(R"({"data":[{"id":"m"}]})"), EngineKind::Unknown);
    EXPECT_EQ(engine_of_models("<html>"), EngineKind::Unknown);
}

TEST(EngineKind, AdaptersAreWhatHasAParent) {
    EXPECT_THAT(adapters_of_models(kVllm), ElementsAre("code", "sql"));
    EXPECT_THAT(adapters_of_models(kSglang), ElementsAre("lora0"));
    EXPECT_THAT(adapters_of_models(R"({"data":[{"id":"m","parent":""},{"id":7,"parent":"m"},{"parent":"m"},5]})"),
                IsEmpty());
    EXPECT_THAT(adapters_of_models(kVllm.substr(0, kVllm.size() - 3)), IsEmpty());
    std::string many = R"({"data":[)";
    for (int i = 0; i < 5'000; ++i) many += R"({"id":"a)" + std::to_string(i) + R"(","parent":"m"},)";
    many.back() = ']';
    EXPECT_EQ(adapters_of_models(many + "}").size(), 1'000u);
}

TEST(EngineKind, EnginesHaveTheirOwnWayToNameAnAdapter) {
    EXPECT_EQ(adapter_model(EngineKind::Vllm, "llama", "sql"), "sql");
    EXPECT_EQ(adapter_model(EngineKind::Sglang, "qwen", "lora0"), "qwen:lora0");
    EXPECT_EQ(adapter_model(EngineKind::Unknown, "m", "a"), "a");
}

}  // namespace
}  // namespace stoker::gateway
