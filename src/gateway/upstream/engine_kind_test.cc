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

// As llama.cpp's server of September 2026 writes it; older ones leave out what follows the scale.
constexpr std::string_view kLlamaCpp = R"([
  {"id":0,"path":"/models/lora/sql.gguf","scale":0.0,"task_name":"","prompt_prefix":""},
  {"id":1,"path":"code.gguf","scale":0.5,"task_name":"","prompt_prefix":""},
  {"id":2,"path":"C\\odd","scale":1.0},{"id":3,"path":"other/sql.gguf","scale":1.0},{"path":"x"},7])";
// As TGI 3 writes it: no owner that is anybody's, no adapters.
constexpr std::string_view kTgi = R"({"object":"list","data":[
  {"id":"mistralai/Mistral-7B","object":"model","created":0,"owned_by":"mistralai/Mistral-7B"}]})";

std::vector<std::string> names(const std::vector<LoraAdapter>& adapters) {
    std::vector<std::string> all;
    for (const LoraAdapter& adapter : adapters) all.push_back(adapter.name);
    return all;
}

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
    EXPECT_THAT(names(adapters_of_models(kVllm)), ElementsAre("code", "sql"));
    EXPECT_THAT(names(adapters_of_models(kSglang)), ElementsAre("lora0"));
    EXPECT_THAT(
        names(adapters_of_models(R"({"data":[{"id":"m","parent":""},{"id":7,"parent":"m"},{"parent":"m"},5]})")),
        IsEmpty());
    EXPECT_THAT(names(adapters_of_models(kVllm.substr(0, kVllm.size() - 3))), IsEmpty());
    std::string many = R"({"data":[)";
    for (int i = 0; i < 5'000; ++i) many += R"({"id":"a)" + std::to_string(i) + R"(","parent":"m"},)";
    many.back() = ']';
    EXPECT_EQ(adapters_of_models(many + "}").size(), 1'000u);
}

TEST(EngineKind, LlamaCppNumbersItsAdapters) {
    EXPECT_THAT(adapters_of_llama_cpp(kLlamaCpp), ElementsAre(LoraAdapter{"code", 1, 0.5}, LoraAdapter{"sql", 0, 1}));
    EXPECT_THAT(adapters_of_llama_cpp("[]"), IsEmpty());
    EXPECT_THAT(adapters_of_llama_cpp(kLlamaCpp.substr(0, kLlamaCpp.size() - 1)), IsEmpty());
    EXPECT_THAT(adapters_of_llama_cpp(R"({"error":{"code":501}})"), IsEmpty());
    EXPECT_THAT(adapters_of_models(kTgi), IsEmpty());
    EXPECT_EQ(engine_of_models(kTgi), EngineKind::Other);
}

TEST(EngineKind, EnginesHaveTheirOwnWayToNameAnAdapter) {
    const auto ask = [](EngineKind kind, const LoraAdapter& adapter) {
        const AdapterAsk made = ask_for_adapter(kind, "base", adapter);
        return made.model + " " + made.member;
    };
    EXPECT_EQ(ask(EngineKind::Vllm, {.name = "sql"}), "sql ");
    EXPECT_EQ(ask(EngineKind::Other, {.name = "sql"}), "sql ");
    EXPECT_EQ(ask(EngineKind::Sglang, {.name = "sql"}), "base:sql ");
    EXPECT_EQ(ask(EngineKind::LlamaCpp, {.name = "sql", .number = 2, .scale = 0.5}),
              R"(base "lora":[{"id":2,"scale":0.5}])");
}

}  // namespace
}  // namespace stoker::gateway
