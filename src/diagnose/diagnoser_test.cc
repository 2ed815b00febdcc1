#include "diagnose/diagnoser.h"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>

namespace stoker::diagnose {
namespace {

using namespace std::chrono_literals;

class Healing : public TroubleObserver {
public:
    void on_opened(const Incident& incident) override { add("opened", incident); }
    void on_again(const Incident& incident, const std::string&) override { add("again", incident); }
    void on_recovered(const Incident& incident, const std::string&) override { add("recovered", incident); }
    std::vector<std::string> heard() {
        MutexLock lock(mutex_);
        return heard_;
    }

private:
    void add(const std::string& what, const Incident& incident) {
        MutexLock lock(mutex_);
        heard_.push_back(what + " " + std::string(to_string(incident.kind)));
    }
    Mutex mutex_;
    std::vector<std::string> heard_;
};

class Processes : public ProcessWatch {
public:
    std::optional<ProcessFacts> process_of(const std::string&) const override { return facts; }
    std::optional<ProcessFacts> facts;
};

class DiagnoserTest : public ::testing::Test {
protected:
    void start(alert::QueryFn query = nullptr, std::vector<Incident> unfinished = {}) {
        diagnoser = std::make_unique<Diagnoser>(options, book, healing, &processes, std::move(query), registry);
        diagnoser->start(unfinished);
    }
    void send(Signal::Kind kind, std::string reason = "3 connections refused in 1.2 s",
              std::string replica = "chat/a") {
        Signal signal;
        signal.kind = kind;
        signal.source = "gateway";
        signal.replica = std::move(replica);
        signal.pool = "chat";
        signal.at = stoker::now();
        signal.reason = std::move(reason);
        signal.findings = from_health(false, "connect_refused", false);
        ASSERT_TRUE(diagnoser->submit(signal));
    }
    void alert(alert::AlertTransition::Kind kind, std::string severity = "warning", std::string replica = "") {
        alert::AlertTransition transition;
        transition.kind = kind;
        transition.name = "Slow";
        transition.labels = tsdb::Labels{{"alertname", "Slow"}, {"severity", severity}, {"pool", "chat"}};
        if (!replica.empty()) transition.labels = transition.labels.with("replica", replica);
        transition.annotations = {{"summary", "TTFT is high"}};
        transition.query = "x > 1";
        transition.value = 2;
        transition.at = stoker::now();
        diagnoser->on_alert(transition);
    }
    // Ends the diagnoser after everything sent was handled.
    std::vector<std::string> drain() {
        diagnoser->stop();
        return healing.heard();
    }

    DiagnoserOptions options;
    IncidentBook book{nullptr};
    Healing healing;
    Processes processes;
    metrics::Registry registry;
    std::unique_ptr<Diagnoser> diagnoser;
};

using Heard = std::vector<std::string>;
using Fired = alert::AlertTransition::Kind;

TEST_F(DiagnoserTest, ADeadEngineBecomesAnIncidentWithAHypothesis) {
    processes.facts = ProcessFacts{.pid = 4711, .exit_known = true, .exit_signal = SIGKILL, .last_output = "loading"};
    start();
    send(Signal::Kind::EngineDown);
    EXPECT_EQ(drain(), Heard{"opened engine_down"});
    const auto incident = book.open_for_replica("chat/a");
    ASSERT_TRUE(incident);
    EXPECT_EQ(incident->severity, "critical");
    EXPECT_EQ(incident->hypotheses.front().cause, "engine_process_died");
    ASSERT_EQ(incident->timeline.size(), 2u);
    EXPECT_EQ(incident->timeline[0].phase, Phase::Detect);
    EXPECT_EQ(incident->timeline[1].phase, Phase::Diagnose);
    bool said = false;
    for (const Evidence& item : incident->hypotheses.front().evidence) {
        said |= item.text.find("4711 ended by signal 9 (SIGKILL); its last line was: loading") != std::string::npos;
    }
    EXPECT_TRUE(said);
}

TEST_F(DiagnoserTest, MetricsRefineTheDiagnosisAfterwards) {
    processes.facts = ProcessFacts{.pid = 1, .exit_known = true, .exit_signal = SIGKILL, .last_output = ""};
    start([](std::string_view query, Timestamp) -> Result<promql::Value> {
        promql::Vector vector;
        if (query.find("oom_kill") != std::string_view::npos) vector.push_back({tsdb::Labels{}, {0, 1}});
        return promql::Value{vector, {}, {}};
    });
    send(Signal::Kind::EngineDown);
    drain();
    const auto incident = book.open_for_replica("chat/a");
    EXPECT_EQ(incident->hypotheses.front().cause, "engine_killed_by_oom");
    EXPECT_EQ(incident->hypotheses.front().evidence.back().query, "sum(increase(node_vmstat_oom_kill[5m]))");
    EXPECT_EQ(incident->hypotheses.front().evidence.back().value, "1");
    EXPECT_EQ(incident->timeline.back().phase, Phase::Diagnose);
}

TEST_F(DiagnoserTest, OneTroubleIsOneIncident) {
    start();
    send(Signal::Kind::EngineHung, "no progress for 10 s");
    send(Signal::Kind::EngineDown);
    send(Signal::Kind::EngineDown);
    send(Signal::Kind::EngineRecovered, "answers again");
    send(Signal::Kind::EngineRecovered, "answers again", "chat/b");
    EXPECT_EQ(drain(),
              (Heard{"opened engine_hung", "again engine_hung", "again engine_hung", "recovered engine_hung"}));
    EXPECT_EQ(book.open_for_replica("chat/a")->timeline.size(), 3u);  // The second refusal says nothing new.
}

TEST_F(DiagnoserTest, AnAlertsIncident) {
    start();
    alert(Fired::Fired);
    alert(Fired::Fired);
    alert(Fired::Resolved);
    EXPECT_EQ(drain(), (Heard{"opened alert", "again alert", "recovered alert"}));
    const Incident incident = book.list({}).at(0);
    EXPECT_EQ(incident.title, "Slow{pool=\"chat\"}");
    EXPECT_EQ(incident.severity, "warning");
    EXPECT_EQ(incident.hypotheses.front().evidence.front().query, "x > 1");
}

TEST_F(DiagnoserTest, InformationIsNoIncident) {
    start();
    alert(Fired::Fired, "info");
    EXPECT_EQ(drain(), Heard{});
}

TEST_F(DiagnoserTest, AnAlertAboutADeadReplicaBelongsToItsIncident) {
    start();
    send(Signal::Kind::EngineDown);
    alert(Fired::Fired, "critical", "chat/a");
    EXPECT_EQ(drain(), Heard{"opened engine_down"});
    EXPECT_EQ(book.counts().total, 1u);
}

TEST_F(DiagnoserTest, AnAlertThatDoesNotComeBackAfterARestartIsOver) {
    Incident old;
    old.kind = IncidentKind::Alert;
    old.title = "Gone";
    const Incident known = book.open(old, stoker::now()).incident;
    options.alert_confirmation = Duration{0};
    start(nullptr, {known});
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (healing.heard().empty() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(5ms);
    EXPECT_EQ(drain(), Heard{"recovered alert"});
}

TEST_F(DiagnoserTest, AFullQueueIsCountedNotWaitedFor) {
    options.queue = 2;
    Diagnoser idle(options, book, healing, nullptr, nullptr, registry);  // Never started.
    EXPECT_TRUE(idle.submit({}));
    EXPECT_TRUE(idle.submit({}));
    EXPECT_FALSE(idle.submit({}));
}

}  // namespace
}  // namespace stoker::diagnose
