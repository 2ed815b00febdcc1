#include "diagnose/diagnoser.h"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <set>
#include <thread>

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

TEST_F(DiagnoserTest, AnAlertAboutThePoolOfADeadReplicaBelongsToItsIncident) {
    start();
    send(Signal::Kind::EngineDown);
    alert(Fired::Fired, "critical");
    EXPECT_EQ(drain(), Heard{"opened engine_down"});
    EXPECT_EQ(book.counts().total, 1u);
    EXPECT_EQ(book.open_for_pool("chat")->timeline.back().phase, Phase::Note);
    EXPECT_FALSE(book.open_for_pool("embed"));
    EXPECT_FALSE(book.open_for_pool(""));
}

TEST_F(DiagnoserTest, AnAlertThatOutlivesTheEnginesIncidentGetsItsOwn) {
    options.aftermath = Duration{0};
    start();
    send(Signal::Kind::EngineDown);
    alert(Fired::Fired, "critical");
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    const auto heard = [&](std::size_t count) {
        while (healing.heard().size() < count && std::chrono::steady_clock::now() < deadline) {
            std::this_thread::sleep_for(5ms);
        }
        return healing.heard().size() >= count;
    };
    ASSERT_TRUE(heard(1));
    send(Signal::Kind::EngineRecovered, "answers again");
    ASSERT_TRUE(heard(2));  // All before was handled.
    const std::string id = book.open_for_replica("chat/a")->id;
    (void)book.update(id, stoker::now(), [](Incident& incident) {
        incident.status = IncidentStatus::Resolved;
        incident.resolved_at = stoker::now();
    });
    ASSERT_TRUE(heard(3));
    EXPECT_EQ(drain(), (Heard{"opened engine_down", "recovered engine_down", "opened alert"}));
}

// What is known when the first signal arrives, as the gateway and the supervisor really tell it.
TEST_F(DiagnoserTest, ACircuitThatOpensAgainIsAnIncidentUntilItCloses) {
    start();
    send(Signal::Kind::CircuitOpened, "it failed again when it was tried");
    send(Signal::Kind::CircuitOpened, "it failed again when it was tried");
    send(Signal::Kind::CircuitClosed, "answered a request again");
    EXPECT_EQ(drain(), (Heard{"opened alert", "again alert", "recovered alert"}));
    const auto incident = book.list({}).front();
    EXPECT_EQ(incident.title, R"(CircuitOpen{pool="chat",replica="chat/a"})");
    EXPECT_EQ(incident.severity, "warning");
    EXPECT_EQ(incident.hypotheses.front().cause, "replica_fails_requests");
}

TEST_F(DiagnoserTest, AReplicaThatIsFoundDownNeedsNoIncidentForItsCircuit) {
    start();
    send(Signal::Kind::CircuitOpened, "it failed again when it was tried");
    send(Signal::Kind::EngineDown);
    send(Signal::Kind::CircuitOpened, "it failed again when it was tried");
    EXPECT_EQ(drain(), (Heard{"opened alert", "opened engine_down", "recovered alert"}));
}

TEST_F(DiagnoserTest, TheDiagnosisFollowsWhatWasSeen) {
    using Down = Signal::Kind;
    const auto exited = [](int code, int signal) {
        return ProcessFacts{.pid = 7, .exit_known = true, .exit_code = code, .exit_signal = signal, .last_output = ""};
    };
    const ProcessFacts runs{.pid = 7, .running = true, .last_output = ""};
    const ProcessFacts stops{.pid = 7, .running = true, .stopped = true, .last_output = ""};
    struct Row {
        const char* what;
        std::optional<ProcessFacts> process;
        Signal::Kind kind;
        const char* reason;
        const char* evidence;
        bool health_ok;
        const char* health;
        const char* cause;
        double at_least;
        const char* title;
    } rows[] = {
        {"SIGKILL, the supervisor first", exited(0, SIGKILL), Down::EngineDown, "its process is gone",
         "process 7 ended by signal 9 (SIGKILL) after 3 s", false, "process 7 ended by signal 9 (SIGKILL) after 3 s",
         "engine_process_died", 0.7, "r is down: its process ended by signal 9 (SIGKILL)"},
        {"SIGKILL, a request first, the last probe was good", exited(0, SIGKILL), Down::EngineDown,
         "connections are refused", "2 connections refused in 4 ms", true, "200 in 3 ms", "engine_process_died", 0.7,
         "r is down: its process ended by signal 9 (SIGKILL)"},
        {"exit 137", exited(137, 0), Down::EngineDown, "connections are refused", "2 connections refused in 4 ms", true,
         "200 in 3 ms", "engine_process_died", 0.7, "r is down: its process exited with code 137 (as after SIGKILL)"},
        {"exit 1", exited(1, 0), Down::EngineDown, "its process is gone", "process 7 exited with code 1", false,
         "process 7 exited with code 1", "engine_process_died", 0.85, "r is down: its process exited with code 1"},
        {"segfault in a container", exited(139, 0), Down::EngineDown, "connections are refused",
         "2 connections refused in 4 ms", true, "200 in 3 ms", "engine_process_died", 0.7,
         "r is down: its process exited with code 139 (as after SIGSEGV)"},
        {"adopted, so no status", ProcessFacts{.pid = 7, .last_output = ""}, Down::EngineDown, "its process is gone",
         "process 7 ended", true, "200 in 3 ms", "engine_process_died", 0.7, "r is down: its process ended"},
        {"SIGSTOP under load, the last probe was good", stops, Down::EngineHung,
         "work is outstanding and nothing comes out", "4 streams stand still", true, "200 in 3 ms",
         "engine_process_stopped", 0.9, "r hangs: its process is stopped"},
        {"SIGSTOP, idle", stops, Down::EngineDown, "accepts connections but does not answer", "3 probes failed", false,
         "timeout", "engine_process_stopped", 0.85, "r hangs: its process is stopped"},
        {"hang with /health 200", runs, Down::EngineHung, "work is outstanding and nothing comes out",
         "4 streams stand still", true, "200 in 3 ms", "engine_hung_no_progress", 0.85, "r hangs"},
        {"unreachable, not supervised", std::nullopt, Down::EngineDown, "accepts connections but does not answer",
         "3 probes failed", false, "connect_timeout", "engine_unreachable", 0.5, "r is down"},
        {"refused, not supervised", std::nullopt, Down::EngineDown, "connections are refused", "2 connections refused",
         true, "200 in 3 ms", "engine_process_died", 0.6, "r is down"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.what);
        Signal signal;
        signal.kind = row.kind;
        signal.replica = "r";
        signal.reason = row.reason;
        signal.evidence = {row.evidence};
        signal.findings = from_health(row.health_ok, row.health, row.kind == Down::EngineHung);
        IncidentBook fresh(nullptr);
        metrics::Registry metrics;
        processes.facts = row.process;
        Diagnoser one(options, fresh, healing, &processes, nullptr, metrics);
        one.start({});
        ASSERT_TRUE(one.submit(signal));
        one.stop();
        const auto incident = fresh.open_for_replica("r");
        ASSERT_TRUE(incident);
        const Hypothesis& best = incident->hypotheses.front();
        EXPECT_EQ(best.cause, row.cause);
        EXPECT_GE(best.confidence, row.at_least);
        EXPECT_EQ(incident->title, row.title);
        EXPECT_EQ(incident->timeline.front().text, std::string(row.reason) + ": " + row.evidence);
        for (const Hypothesis& hypothesis : incident->hypotheses) {
            std::set<std::string> lines;
            for (const Evidence& item : hypothesis.evidence) EXPECT_TRUE(lines.insert(item.text).second) << item.text;
        }
    }
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
