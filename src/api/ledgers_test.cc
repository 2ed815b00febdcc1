// Three ledgers, from samples as collection leaves them.
#include <gtest/gtest.h>

#include "api/ledger_report.h"
#include "promql/memory_querier.h"

namespace stoker::api {
namespace {

class LedgersTest : public testing::Test {
protected:
    using Pairs = std::vector<std::pair<std::string, std::string>>;

    // A counter's values at the seconds 0, 10, 20, ...
    void series(const Pairs& labels, const std::vector<double>& values, std::int64_t begin = 0) {
        std::int64_t at = begin;
        for (const double value : values) {
            querier_.add(tsdb::Labels(labels), {at * 1'000, value});
            at += 10;
        }
    }
    void own(const std::string& name, const std::string& answer, const std::string& type,
             const std::vector<double>& values, const std::string& model = "tiny") {
        series({{"__name__", "stoker_gateway_ledger_tokens_total"},
                {"pool", "chat"},
                {"model", model},
                {"replica", "chat/a"},
                {"ledger", name},
                {"answer", answer},
                {"type", type}},
               values);
    }
    void engine(const std::vector<double>& values, const std::string& model = "llama") {
        series({{"__name__", "llm_engine_generation_tokens_total"}, {"replica", "chat/a"}, {"model", model}}, values);
    }
    ReplicaLedger report(std::int64_t from = 10, std::int64_t to = 30) {
        auto made = report_ledgers(querier_, from_millis(from * 1'000), from_millis(to * 1'000));
        EXPECT_TRUE(made);
        EXPECT_EQ(made->replicas.size(), 1u);
        return made->replicas.empty() ? ReplicaLedger{} : made->replicas.front();
    }
    static std::string drifts(const Ledger& ledger) {
        std::string text;
        for (const Drift drift : drifts_of(ledger)) text += std::string(to_string(drift)) + " ";
        return text;
    }

    promql::MemoryQuerier querier_;
};

TEST_F(LedgersTest, AddUpTheStepsOfTheStretch) {
    own("counted", "stream", "completion", {100, 110, 150, 160, 900});
    own("usage", "stream", "completion", {0, 10, 20, 60, 900});
    own("usage", "whole", "completion", {0, 0, 0, 7}, "other");
    own("unreported", "stream", "completion", {0, 0, 0, 5});
    own("usage", "stream", "prompt", {0, 1, 2, 3});
    engine({1'000, 1'010, 1'050, 1'072});
    const ReplicaLedger seen = report();
    EXPECT_EQ(seen.pool, "chat");
    EXPECT_EQ(seen.all.completion.counted, 50);
    EXPECT_EQ(seen.all.completion.usage_stream, 50);
    EXPECT_EQ(seen.all.completion.usage_whole, 7);
    EXPECT_EQ(seen.all.completion.unreported, 5);
    EXPECT_EQ(seen.all.completion.known(), 62);
    EXPECT_EQ(seen.all.completion.engine, 62);
    EXPECT_EQ(seen.all.prompt.usage_stream, 2);
    EXPECT_EQ(seen.all.prompt.engine, std::nullopt);
    EXPECT_EQ(seen.models.at("other").completion.usage_whole, 7);
    EXPECT_EQ(seen.own_models.at("llama").completion.engine, 62);
}

TEST_F(LedgersTest, AFallIsANewBeginningAndWhatNobodySawBeforeIsNotGuessed) {
    engine({500, 510, 4, 10});
    EXPECT_EQ(report().all.completion.engine, 6) << "what it did around its restart was not seen";
    querier_.clear();
    series({{"__name__", "llm_engine_generation_tokens_total"}, {"replica", "chat/a"}}, {7'000, 7'005}, 20);
    EXPECT_EQ(report().all.completion.engine, 5) << "the engine is older than the first look at it";
    querier_.clear();
    own("counted", "stream", "completion", {});
    series({{"__name__", "stoker_gateway_ledger_tokens_total"}, {"replica", "chat/a"}, {"ledger", "counted"}}, {7, 9},
           20);
    EXPECT_EQ(report().all.completion.counted, 9) << "our own counters begin with us";
}

TEST_F(LedgersTest, WhatWasKnownBeforeTheEngineWasSeenIsNotCompared) {
    own("usage", "stream", "completion", {0, 5'000, 9'000, 9'500});
    series({{"__name__", "llm_engine_generation_tokens_total"}, {"replica", "chat/a"}}, {9'000, 9'500}, 20);
    const ReplicaLedger seen = report(0);
    EXPECT_EQ(seen.all.completion.known(), 9'500);
    EXPECT_EQ(seen.all.completion.unseen, 9'000);
    EXPECT_EQ(seen.all.completion.engine, 500);
    EXPECT_EQ(drifts(seen.all), "");
}

TEST_F(LedgersTest, ARestartIsNoDrift) {
    own("usage", "stream", "completion", {0, 5'000, 15'000, 16'000, 17'000});
    engine({0, 5'000, 2'000, 3'000, 4'000});  // 8,000 were made before it ended and after the last look.
    const ReplicaLedger seen = report(0, 40);
    EXPECT_EQ(seen.all.completion.known(), 17'000);
    EXPECT_EQ(seen.all.completion.engine, 7'000);
    EXPECT_EQ(drifts(seen.all), "");
}

TEST_F(LedgersTest, AReplicaTakenOutAndPutBackIsComparedAnew) {
    const double gone = tsdb::stale_marker();
    own("usage", "stream", "completion", {0, 2'000, 3'000, 3'000, 3'000, 5'000});
    engine({100, 2'100, gone, gone, 90'000, 92'000});  // Others had it meanwhile.
    const ReplicaLedger seen = report(0, 50);
    EXPECT_EQ(seen.all.completion.engine, 4'000);
    EXPECT_EQ(seen.all.completion.unseen, 1'000);
    EXPECT_EQ(drifts(seen.all), "");
    querier_.clear();
    own("usage", "stream", "completion", {0, 2'000, 7'000, 9'000});
    engine({100, 2'100, gone, gone});
    EXPECT_EQ(drifts(report(0, 30).all), "") << "it is still out of sight";
}

TEST_F(LedgersTest, AnotherModelOfAKnownEngineBeginsAtNothing) {
    own("usage", "stream", "completion", {0, 2'000, 4'000});
    engine({0, 2'000, 2'000});
    series({{"__name__", "llm_engine_generation_tokens_total"}, {"replica", "chat/a"}, {"model", "lora"}}, {2'000}, 20);
    EXPECT_EQ(report(0, 20).all.completion.engine, 4'000);
}

TEST_F(LedgersTest, DriftNeedsAShareAndANumber) {
    const auto with = [](double counted, double usage, double unreported, std::optional<double> engine) {
        Ledger ledger;
        ledger.completion = {counted, usage, 0, unreported, engine};
        return drifts(ledger);
    };
    EXPECT_EQ(with(10'000, 10'000, 0, 10'000), "");
    EXPECT_EQ(with(10'000, 10'000, 0, std::nullopt), "") << "an engine that shows nothing";
    EXPECT_EQ(with(900, 900, 0, 0), "") << "too few to say";
    EXPECT_EQ(with(100'000, 100'000, 0, 108'000), "");
    EXPECT_EQ(with(100'000, 100'000, 0, 120'000), "engine_more ") << "somebody asks it directly";
    EXPECT_EQ(with(100'000, 100'000, 0, 80'000), "engine_less ");
    EXPECT_EQ(with(100'000, 90'000, 10'000, 100'000), "") << "clients that left early";
    EXPECT_EQ(with(100'000, 50'000, 0, 100'000), "engine_more usage_less ") << "usage that is too low";
    EXPECT_EQ(with(10'000, 40'000, 0, 40'000), "") << "several tokens an event";
}

}  // namespace
}  // namespace stoker::api
