#include "collect/engine/json_page.h"

#include <gtest/gtest.h>

#include "collect/engine/adapters.h"
#include "wire/prometheus_text.h"

namespace stoker::collect {
namespace {

std::string page(std::string_view body) {
    const auto made = json_page(*Adapters::built_in()->find("ollama"), body);
    if (!made) return made.error().message;
    const auto read = wire::parse_exposition(*made, wire::ExpositionFormat::Prometheus);
    if (!read) return read.error().message;
    std::string out;
    for (const auto& sample : *read) {
        out += sample.name;
        for (const auto& [name, value] : sample.labels) out += " " + name + "=" + value;
        out += " " + std::to_string(static_cast<long>(sample.value)) + "\n";
    }
    return out;
}

TEST(JsonPage, Ollama) {
    EXPECT_EQ(page(R"({"models":[{"name":"llama3:8b","size":6000,"size_vram":5000,"context_length":4096,
                       "details":{"family":"llama","parameter_size":"8.0B","quantization_level":"Q4_0"}},
                      {"name":"a\"b\nc{}","size_vram":1}]})"),
              "ollama_model_loaded family=llama model_name=llama3:8b parameters=8.0B quantization=Q4_0 1\n"
              "ollama_model_loaded model_name=a\"b\nc{} 1\n"
              "ollama_model_size_bytes model_name=llama3:8b 6000\n"
              "ollama_model_vram_bytes model_name=llama3:8b 5000\n"
              "ollama_model_vram_bytes model_name=a\"b\nc{} 1\n"
              "ollama_model_context_length model_name=llama3:8b 4096\n");
    EXPECT_EQ(page(R"({"models":[]})"), "");
    EXPECT_EQ(page("{}"), "");
    EXPECT_EQ(page(R"({"models":{"name":1}})"), "ollama_model_loaded model_name=1 1\n");
    EXPECT_EQ(page("404 page not found"), "not JSON, which Ollama gives here");
}

}  // namespace
}  // namespace stoker::collect
