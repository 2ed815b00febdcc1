#include "diagnose/failure_modes.h"

#include <gtest/gtest.h>

#include <csignal>
#include <numeric>

#include "diagnose/signal.h"

namespace stoker::diagnose {
namespace {

using enum Finding;

// Observations by name: those given are seen, those in `not_seen` were looked for in vain.
std::vector<Observation> saw(std::vector<Finding> seen, std::vector<Finding> not_seen = {}) {
    std::vector<Observation> all;
    for (const Finding finding : seen) all.push_back({finding, true, {std::string(to_string(finding)), "", ""}});
    for (const Finding finding : not_seen) {
        all.push_back({finding, false, {"no " + std::string(to_string(finding)), "", ""}});
    }
    return all;
}

TEST(FailureModes, TheCauseThatFitsComesFirst) {
    struct Row {
        const char* what;
        std::vector<Observation> seen;
        const char* cause;
        double at_least;
    } rows[] = {
        {"kill -9", saw({ProcessGone, KilledBySigkill, ConnectionRefused}, {HealthOk, OomKill, MemoryNearlyFull}),
         "engine_process_died", 0.85},
        {"kill -9, metrics unknown", saw({ProcessGone, KilledBySigkill}), "engine_process_died", 0.5},
        {"refused, not supervised", saw({ConnectionRefused}, {HealthOk, NoProgress, ConnectTimeout, HealthFailing}),
         "engine_process_died", 0.6},
        {"segfault", saw({ProcessGone, CrashSignal, ConnectionRefused}, {KilledBySigkill, GpuFault}),
         "engine_process_died", 0.8},
        {"out of memory", saw({ProcessGone, KilledBySigkill, OomKill}), "engine_killed_by_oom", 0.9},
        {"XID, then abort", saw({ProcessGone, CrashSignal, GpuFault}), "engine_gpu_fault", 0.6},
        {"hang with healthy /health", saw({NoProgress, HealthOk, CountersStill}, {ProcessGone, ProcessStopped}),
         "engine_hung_no_progress", 0.85},
        {"SIGSTOP", saw({NoProgress, ProcessStopped, ConnectTimeout}, {ProcessGone, HealthOk}),
         "engine_process_stopped", 0.9},
        {"cable pulled", saw({ConnectTimeout}, {ConnectionRefused, HealthOk, NoProgress}), "engine_unreachable", 0.5},
        {"KV full", saw({KvCacheFull, HealthFailing}, {ProcessGone, CountersStill}), "engine_overloaded", 0.8},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.what);
        const auto ranked = rank(row.seen);
        ASSERT_FALSE(ranked.empty());
        EXPECT_EQ(ranked.front().cause, row.cause);
        EXPECT_GE(ranked.front().confidence, row.at_least);
        EXPECT_LE(ranked.front().confidence, 1);
        EXPECT_FALSE(ranked.front().evidence.empty());
    }
}

TEST(FailureModes, MoreEvidenceRaisesConfidence) {
    const double some = rank(saw({ProcessGone})).front().confidence;
    const double more = rank(saw({ProcessGone, ConnectionRefused})).front().confidence;
    const double most = rank(saw({ProcessGone, ConnectionRefused}, {OomKill, GpuFault})).front().confidence;
    EXPECT_LT(some, more);
    EXPECT_LT(more, most);
}

TEST(FailureModes, NothingSeenIsNoCertainty) {
    const auto ranked = rank({});
    ASSERT_FALSE(ranked.empty());
    EXPECT_LT(ranked.front().confidence, 0.5);
    EXPECT_TRUE(ranked.front().evidence.empty());
}

TEST(FailureModes, EvidenceIsWhatSpeaksForTheCause) {
    const auto ranked = rank(saw({ProcessGone, KilledBySigkill}, {HealthOk}));
    std::string said;
    for (const Evidence& item : ranked.front().evidence) said += item.text + ";";
    EXPECT_EQ(said, "process_gone;killed_by_sigkill;no health_ok;");
}

TEST(FailureModes, OneSentenceIsOneLineOfEvidence) {
    const Evidence probe{"Health probe: connect_refused", "", ""};
    const auto ranked = rank({{ConnectionRefused, true, probe},
                              {HealthOk, false, probe},
                              {ConnectTimeout, false, probe},
                              {ConnectionRefused, true, {"2 connections refused in 4 ms", "", ""}}});
    ASSERT_EQ(ranked.front().cause, "engine_process_died");
    ASSERT_EQ(ranked.front().evidence.size(), 2u);
    EXPECT_EQ(ranked.front().evidence[0].text, probe.text);
    // Said twice is not twice as sure.
    EXPECT_EQ(ranked.front().confidence,
              rank({{ConnectionRefused, true, probe}, {HealthOk, false, probe}, {ConnectTimeout, false, probe}})
                  .front()
                  .confidence);
}

TEST(FailureModes, AtMostThreeInOrder) {
    const auto ranked = rank(saw({NoProgress}));
    EXPECT_LE(ranked.size(), 3u);
    for (std::size_t i = 1; i < ranked.size(); ++i) EXPECT_GE(ranked[i - 1].confidence, ranked[i].confidence);
}

TEST(Signal, HealthProbesBecomeFindings) {
    struct Row {
        bool ok;
        const char* detail;
        bool stalled;
        std::vector<Finding> seen;
    } rows[] = {
        {true, "200 in 3 ms", false, {HealthOk}},
        {true, "200 in 3 ms", true, {HealthOk, NoProgress}},
        {false, "connect_refused", false, {ConnectionRefused}},
        {false, "connect_timeout", true, {ConnectTimeout, NoProgress}},
        {false, "read_timeout", false, {ConnectTimeout}},
        {false, "503 in 2 ms", false, {HealthFailing}},
        {false, "", false, {}},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.detail);
        std::vector<Finding> seen;
        for (const Observation& item : from_health(row.ok, row.detail, row.stalled)) {
            if (item.seen) seen.push_back(item.finding);
        }
        EXPECT_EQ(seen, row.seen);
    }
}

}  // namespace
}  // namespace stoker::diagnose
