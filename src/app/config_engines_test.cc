// Adapters that a configuration names, and the one that docs/extending.md teaches.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "app/config_convert.h"
#include "base/file.h"
#include "base/text.h"
#include "collect/engine/canonical.h"
#include "collect/engine/identify.h"
#include "wire/prometheus_text.h"

namespace stoker::app {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const fs::path kRoot = fs::path(__FILE__).parent_path().parent_path().parent_path();

// The block of docs/extending.md that begins with these words, fences left out.
std::string example(const std::string& begin) {
    const auto text = read_file(kRoot / "docs" / "extending.md");
    EXPECT_TRUE(text);
    const std::size_t from = text->find(begin);
    EXPECT_NE(from, std::string::npos) << begin;
    return text->substr(from, text->find("```", from) - from);
}

class EnginesConfigTest : public ::testing::Test {
protected:
    EnginesConfigTest() { fs::create_directories(folder_); }
    ~EnginesConfigTest() override { fs::remove_all(folder_); }

    LoadedConfig read_with(const std::string& adapter) {
        EXPECT_TRUE(write_file_atomic(folder_ / "boiler.yaml", adapter));
        return read_config("collect: {engines: {adapters: [boiler.yaml]}}", (folder_ / "c.yaml").string(),
                           [](const std::string&) { return std::nullopt; });
    }

    const fs::path folder_ = fs::path(::testing::TempDir()) / ("config_engines_test" + std::to_string(::getpid()));
};

TEST_F(EnginesConfigTest, TheTaughtAdapterReadsTheTaughtPage) {
    const auto loaded = read_with(example("format: 1\nname: boiler"));
    ASSERT_TRUE(loaded.ok()) << loaded.problems.front().text();
    const auto adapters = collect_options(loaded.config).adapters;
    const auto identity = collect::identify(*adapters, {{"/about", 200, "", R"({"name":"boiler","build":"2.4.1"})"}});
    EXPECT_EQ(identity.kind, "boiler");
    EXPECT_EQ(identity.version, "2.4.1");
    collect::Canonical canonical(collect::CanonicalPlan::make(adapters, identity.kind, identity.version));
    const auto page = wire::parse_exposition(example("# TYPE boiler_active gauge"), wire::ExpositionFormat::Prometheus);
    ASSERT_TRUE(page) << page.error().message;
    for (const auto& sample : *page) canonical.add(sample.name, sample.labels, sample.value);
    std::string got;
    for (const auto& value : canonical.values()) got += value.name + " " + format_number(value.value) + "\n";
    EXPECT_EQ(got,
              "llm_engine_generation_tokens_total 40200\n"
              "llm_engine_kv_usage_ratio 0.25\n"
              "llm_engine_prompt_tokens_total 91000\n"
              "llm_engine_requests_running 3\n"
              "llm_engine_requests_waiting 2\n"
              "llm_engine_time_to_first_token_seconds_bucket 12\n"
              "llm_engine_time_to_first_token_seconds_bucket 10\n"
              "llm_engine_time_to_first_token_seconds_count 12\n"
              "llm_engine_time_to_first_token_seconds_sum 0.56\n");
}

TEST_F(EnginesConfigTest, ABrokenAdapterRefusesTheConfiguration) {
    const auto loaded = read_with("format: 1\nname: boiler\nmetrics:\n  - {name: llm_engine_kv_usage, from: [a]}\n");
    ASSERT_EQ(loaded.problems.size(), 1U);
    EXPECT_THAT(loaded.problems.front().text(), HasSubstr("boiler.yaml:4:12: metrics[0].name: there is no canonical"));
}

}  // namespace
}  // namespace stoker::app
