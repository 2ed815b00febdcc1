#include "collect/engine/adapters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "base/file.h"
#include "collect/engine/canonical_names.h"

namespace stoker::collect {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// What is wrong with an adapter's text, one line each.
std::vector<std::string> problems(const std::string& text) {
    std::vector<std::string> out;
    for (const auto& problem : parse_adapter(text, "a.yaml", {"vllm"}).problems) out.push_back(problem.text());
    return out;
}

class Folder {
public:
    Folder() : path_(std::filesystem::path(::testing::TempDir()) / ("adapters_test" + std::to_string(::getpid()))) {
        std::filesystem::remove_all(path_);
        std::filesystem::create_directories(path_);
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    void write(const std::string& name, const std::string& text) const {
        ASSERT_TRUE(write_file_atomic(path_ / name, text).has_value());
    }
    std::string path() const { return path_.string(); }

private:
    std::filesystem::path path_;
};

TEST(Adapters, BuiltInOnes) {
    const auto adapters = Adapters::built_in();
    std::vector<std::string> names;
    for (const Adapter& adapter : adapters->all()) names.push_back(adapter.name);
    EXPECT_THAT(names, ::testing::UnorderedElementsAre("vllm", "sglang", "tgi", "tensorrt-llm", "triton", "lmdeploy",
                                                       "llama.cpp", "ollama", "ray-serve-llm", "generic"));
    EXPECT_EQ(names.back(), "generic");
    EXPECT_EQ(adapters->metrics_path("tensorrt-llm"), "/prometheus/metrics");
    EXPECT_EQ(adapters->metrics_path("never heard of"), "/metrics");
    EXPECT_THAT(adapters->ports(), ::testing::IsSupersetOf({8000, 30000, 8080, 11434, 23333, 8002}));
    EXPECT_EQ(adapters->find("never heard of"), nullptr);
}

// What an engine lacks is said, with the reason, or is given; the names that dashboards are made of are never
// forgotten.
TEST(Adapters, EveryEngineGivesOrExplainsWhatMatters) {
    for (const Adapter& adapter : Adapters::built_in()->all()) {
        if (adapter.name == kGenericEngine) continue;
        std::set<std::string> known;
        for (const auto& metric : adapter.metrics) known.insert(metric.name);
        for (const auto& missing : adapter.missing) known.insert(missing.name);
        for (const char* name :
             {"llm_engine_requests_running", "llm_engine_requests_waiting", "llm_engine_kv_usage_ratio",
              "llm_engine_prompt_tokens_total", "llm_engine_generation_tokens_total",
              "llm_engine_time_to_first_token_seconds", "llm_engine_inter_token_latency_seconds"}) {
            EXPECT_TRUE(known.contains(name)) << adapter.name << " neither gives nor explains " << name;
        }
    }
}

TEST(Adapters, ProblemsNameFileLineAndKey) {
    EXPECT_THAT(problems("format: 1\nname: x\nmetrics:\n  - {name: llm_engine_requests_runing, from: [a]}\n"),
                ElementsAre("a.yaml:4:12: metrics[0].name: there is no canonical metric 'llm_engine_requests_runing'; "
                            "did you mean 'llm_engine_requests_running'?"));
    EXPECT_THAT(problems("format: 1\nname: x\nmetrics:\n  - name: llm_engine_requests_running\n    from: ['a{b']\n"),
                ElementsAre(HasSubstr("a.yaml:5:12: metrics[0].from[0]: 'a{b' must be a metric's name")));
    EXPECT_THAT(problems("format: 2\nname: x\n"), ElementsAre(HasSubstr("a.yaml:1:9: format: must be 1")));
    EXPECT_THAT(problems("format: 1\n"), ElementsAre(HasSubstr("name")));
    EXPECT_THAT(problems("format: 1\nname: x\nextends: tgi\n"),
                ElementsAre("a.yaml:3:10: extends: there is no adapter 'tgi'; there are vllm"));
    EXPECT_THAT(problems("format: 1\nname: x\nports: [70000]\n"), ElementsAre(HasSubstr("a.yaml:3:9: ports[0]")));
    EXPECT_THAT(problems("format: 1\nname: x\nmetric: []\n"), ElementsAre(HasSubstr("metrics")));
    EXPECT_THAT(problems("format: 1\nname: x\ndetect:\n  - {keys: [a]}\n"), ::testing::SizeIs(2));
    EXPECT_THAT(problems("format: 1\nname: x\nfacts: {version: [/version]}\n"),
                ElementsAre(HasSubstr("must be PATH#POINTER")));
    EXPECT_THAT(problems("format: 1\nname: x\nquirks:\n  - {text: t, versions: '0.8'}\n"),
                ElementsAre(HasSubstr("quirks[0].versions: '0.8' must be a relation and a version")));
    EXPECT_THAT(problems("format: 1\nname: x\ncapabilities: [fly]\n"), ElementsAre(HasSubstr("must be one of chat")));
    EXPECT_THAT(problems("format: 1\nname: [\n"), ::testing::Not(::testing::IsEmpty()));
}

TEST(Adapters, OperatorsFilesAddReplaceAndExtend) {
    Folder folder;
    folder.write("own.yaml",
                 "format: 1\nname: own\nports: [9123]\ndetect: [{metric: own_}]\nmetrics:\n"
                 "  - {name: llm_engine_requests_running, from: [own_active]}\n");
    folder.write("vllm.yaml", "format: 1\nname: vllm\nmetrics_path: /m\nextends: vllm\nports: [8111]\n");
    const auto loaded = Adapters::load({"own.yaml", "vllm.yaml"}, folder.path());
    ASSERT_TRUE(loaded.problems.empty()) << loaded.problems.front().text();
    EXPECT_EQ(loaded.adapters->all().size(), Adapters::built_in()->all().size() + 1);
    EXPECT_EQ(loaded.adapters->all().back().name, "generic") << "the last, whatever is added";
    EXPECT_THAT(loaded.adapters->ports(), ::testing::IsSupersetOf({9123, 8111}));
    EXPECT_EQ(loaded.adapters->metrics_path("vllm"), "/m");
    EXPECT_EQ(loaded.adapters->find("vllm")->metrics.size(), Adapters::built_in()->find("vllm")->metrics.size());
}

TEST(Adapters, ABrokenFileIsNotTaken) {
    Folder folder;
    folder.write("broken.yaml", "format: 1\nname: x\nmetrics:\n  - {from: [a]}\n");
    const auto loaded = Adapters::load({"broken.yaml", "not there.yaml"}, folder.path());
    EXPECT_EQ(loaded.adapters, nullptr);
    ASSERT_GE(loaded.problems.size(), 2U);
    EXPECT_THAT(loaded.problems.front().text(), HasSubstr("broken.yaml:4:"));
    EXPECT_THAT(loaded.problems.back().text(), HasSubstr("not there.yaml"));
}

TEST(CanonicalNames, AreFoundWithAHistogramsParts) {
    EXPECT_NE(find_canonical("llm_engine_queue_duration_seconds_sum"), nullptr);
    EXPECT_EQ(find_canonical("llm_engine_queue_duration_seconds_bucket"), nullptr) << "bounds need the whole histogram";
    EXPECT_EQ(find_canonical("llm_engine_requests_running_sum"), nullptr);
    std::set<std::string_view> names;
    for (const CanonicalName& one : canonical_names()) {
        EXPECT_TRUE(names.insert(one.name).second) << one.name;
        EXPECT_EQ(one.name.ends_with("_total"), one.kind == CanonicalName::Kind::Counter) << one.name;
    }
}

}  // namespace
}  // namespace stoker::collect
