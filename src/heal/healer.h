// The healer: carries out what the HealingMachine decides, and feeds it with what came of it.
//
// One lock around the machine and its commands, so that timelines are written in the order of decisions; one thread for
// what is due by time; a pool of workers on which steps and verification queries block. Calls take as long as a write
// to the state store, so they don't belong on event loops. Thread-safe.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "alert/rule_group.h"
#include "base/metrics.h"
#include "base/sync.h"
#include "diagnose/diagnoser.h"
#include "diagnose/incident_book.h"
#include "heal/action_log.h"
#include "heal/fleet.h"
#include "heal/healing_machine.h"

namespace stoker::heal {

struct HealerOptions {
    HealingConfig config;
    Clock clock = now;
    std::size_t workers = 8;  // More than max_concurrent: watching needs some too.
};

class Healer : public diagnose::TroubleObserver {
public:
    // `query` may be null: then no verification query is ever true.
    // REQUIRES: all references outlive the healer.
    Healer(HealerOptions options, diagnose::IncidentBook& book, const Fleet& fleet, ReplicaControl& control,
           ActionLog& actions, alert::QueryFn query, metrics::Registry& registry);
    ~Healer() override;  // stop()

    // Takes up `unfinished` (what IncidentBook::load() returned) by the action log, then begins to act.
    void start(const std::vector<diagnose::Incident>& unfinished);
    // Waits for steps under way, so what ReplicaControl blocks on should be told to give up before. Nothing new is
    // begun; what was begun is examined at the next start.
    void stop();

    void set_config(HealingConfig config);

    // Decides a plan that waits; returns the incident after it. Errors: NotFound, Conflict if nothing waits.
    Result<diagnose::Incident> approve(const std::string& incident, std::string_view by, std::string_view comment);
    Result<diagnose::Incident> reject(const std::string& incident, std::string_view by, std::string_view comment);

    void on_opened(const diagnose::Incident& incident) override;
    void on_again(const diagnose::Incident& incident, const std::string& reason) override;
    void on_recovered(const diagnose::Incident& incident, const std::string& reason) override;

private:
    using Decide = Result<Commands> (HealingMachine::*)(const std::string&, std::string_view, std::string_view,
                                                        Timestamp);

    Result<diagnose::Incident> decide(Decide how, const std::string& incident, std::string_view by,
                                      std::string_view comment);
    void run();
    void carry_out(Commands commands) REQUIRES_LOCK(mutex_);
    void write(Report report) REQUIRES_LOCK(mutex_);
    void do_step(const RunStep& run);
    StepResult execute(const RunStep& run);
    void do_query(const RunQuery& run);
    void take_up(const std::vector<diagnose::Incident>& unfinished) REQUIRES_LOCK(mutex_);

    const HealerOptions options_;
    diagnose::IncidentBook& book_;
    ReplicaControl& control_;
    ActionLog& actions_;
    const alert::QueryFn query_;
    metrics::Family<metrics::Counter>& steps_;
    metrics::Family<metrics::Counter>& ended_;
    metrics::Histogram& recovery_;

    Mutex mutex_;
    std::condition_variable_any wake_;
    HealingMachine machine_ GUARDED_BY(mutex_);
    bool running_ GUARDED_BY(mutex_) = false;
    bool stopping_ GUARDED_BY(mutex_) = false;

    std::thread timer_;
    boost::asio::thread_pool workers_;
};

}  // namespace stoker::heal
