// What the console needs from the rest of Stoker. app fills it in; every function is thread-safe.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/prometheus.h"
#include "api/push.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "collect/engine/finding.h"
#include "collect/gpu/gpu_board.h"
#include "gateway/admission/admission_gate.h"
#include "gateway/cache/answer_cache.h"
#include "gateway/degrade/degradation_control.h"
#include "gateway/limit/limiter.h"
#include "gateway/limit/shared_limits.h"
#include "gateway/route/release_event.h"
#include "gateway/upstream/replica_status.h"
#include "journal/journal.h"
#include "promql/engine.h"
#include "records/store.h"
#include "records/telemetry_store.h"
#include "tsdb/querier.h"

namespace stoker::outward {
class EventLog;
}

namespace stoker::api {

class Live;
class LogTail;

// What is known of an engine beyond what the gateway knows: from discovery, scraping and supervision.
struct EngineFacts {
    std::string url;
    std::string kind;  // "vllm", "llama.cpp", ...; empty if not recognised yet.
    std::string version;
    std::vector<std::string> models;  // The engine's own names.
    bool scraped = false;
    bool scrape_ok = false;
    Timestamp scrape_at;
    double scrape_seconds = 0;
    std::int64_t scrape_samples = 0;
    std::string scrape_error;
    std::vector<collect::Finding> findings;  // What looks wrong with its numbers, the worst first.
};

struct ProcessFacts {
    std::string replica;
    std::int64_t pid = 0;  // 0 while not running.
    std::int64_t restarts = 0;
    std::string state;  // "running", "exited", ...
};

struct ComponentHealth {
    std::string name;
    Result<Unit> health;
};

struct Status {
    bool ready = false;
    bool demo = false;
    Timestamp started_at;
    std::string config_file;  // Empty without one.
    std::string data_dir;
    std::string gateway_address;
    std::string console_address;
    std::vector<ComponentHealth> components;
};

struct ReloadOutcome {
    std::vector<std::string> problems;  // Not empty: nothing was changed.
    std::vector<std::string> changed;
    std::vector<std::string> restart_needed;
};

// The gateway's routes: what is released, and where requests go. JSON each.
struct RouteServices {
    std::function<std::string()> show;
    std::function<Result<Unit>(const std::string& alias, const std::string& to, const gateway::ReleaseOrder& order)>
        switch_alias;
    std::function<Result<Unit>(const std::string& canary, const std::string& action,
                               const gateway::ReleaseOrder& order)>
        steer;
    std::function<Result<std::string>(const std::string& question)> explain;
    std::function<std::string()> shadows;
};

struct KeySelection {
    std::string tenant;  // Empty, here and below: any.
    std::string state;
    std::string prefix;  // Of the id, or of the key itself.
    std::size_t limit = 1000;
    std::size_t offset = 0;
};

// The keys of the gateway's clients. Bodies and answers are JSON; docs/api.md has their shapes.
// Errors: InvalidArgument, NotFound, Conflict (kept in the configuration file, or taken), of the state store.
struct KeyServices {
    std::function<std::string(const KeySelection&)> list;
    std::function<Result<std::string>(const std::string& id)> find;
    std::function<Result<std::string>(const std::string& body)> create;
    std::function<Result<std::string>(const std::string& id, const std::string& body)> edit;
    std::function<Result<std::string>(const std::string& id, const std::string& body)> rotate;
    std::function<Result<std::string>(const std::string& id)> revoke;
    std::function<Result<std::string>(const std::string& id)> remove;
};

// The node agents that send here, and their tokens. Bodies and answers are JSON; docs/api.md has their shapes.
// Errors: InvalidArgument, NotFound, ResourceExhausted, of the state store.
struct AgentServices {
    std::function<std::string()> list = {};
    std::function<Result<std::string>(const std::string& name)> forget = {};
    std::function<std::string()> tokens = {};
    std::function<Result<std::string>(const std::string& body)> create_token = {};
    std::function<Result<std::string>(const std::string& id)> revoke_token = {};
};

// The answers that the gateway keeps.
struct CacheServices {
    std::function<gateway::CacheReport(const gateway::CacheFilter& filter, std::size_t most)> report = {};
    std::function<std::size_t(const gateway::CacheFilter& filter)> purge = {};
};

struct Services {
    const metrics::Registry& registry;
    const tsdb::Querier& querier;
    const promql::Engine& engine;
    records::RecordStore& records;
    journal::Journal& journal;
    Live& live;
    std::function<Timestamp()> now;
    std::function<std::vector<gateway::ReplicaStatus>()> replicas;
    // By id or address; the statuses of those it changed. Errors: NotFound.
    std::function<Result<std::vector<gateway::ReplicaStatus>>(const std::string& replica, const std::string& reason)>
        drain = {};
    std::function<Result<std::vector<gateway::ReplicaStatus>>(const std::string& replica)> undrain = {};
    std::function<gateway::LimitsReport()> limits = {};
    std::function<gateway::SharingReport()> sharing = {};
    CacheServices cache = {};
    // Of pools that limit their concurrency; of each at most so many tenants that wait.
    std::function<std::vector<gateway::AdmissionStatus>(std::size_t most_tenants)> queues = {};
    std::function<collect::GpuReport()> gpus = {};  // Of this machine, at the last look.
    std::function<std::vector<EngineFacts>()> engines;
    std::function<std::vector<ProcessFacts>()> processes;
    std::function<std::vector<std::string>(bool open_only, std::size_t most)> incidents;  // JSON each, newest first.
    std::function<std::size_t()> open_incidents;
    std::function<Result<std::string>(const std::string& id)> incident;
    // Errors: NotFound; Conflict when nothing waits for a decision.
    std::function<Result<std::string>(const std::string& id, bool approve, const std::string& by,
                                      const std::string& comment)>
        decide;
    std::function<Status()> status;
    std::function<ReloadOutcome()> reload;
    // Makes a backup under the data folder; returns {"path":…}. Errors: Conflict while one is being made.
    std::function<Result<std::string>()> backup = {};
    std::function<gateway::DegradationStatus()> degradation = {};
    // Errors: NotFound (nothing is pinned there); of the state store, when the change would not survive a restart.
    std::function<Result<Unit>(gateway::DegradationPin)> pin_degradation = {};
    std::function<Result<Unit>(const std::string& pool)> release_degradation = {};
    RouteServices routes = {};
    KeyServices keys = {};
    outward::EventLog* events = nullptr;  // Set where events are asked for.
    AgentServices agents = {};
    PrometheusServices prometheus;
    // Spans and logs. Null where a test is about something else.
    records::TelemetryStore* telemetry = nullptr;
    LogTail* log_tail = nullptr;  // Null: nobody publishes lines of log.
    std::vector<PushEndpoint> pushes = {};
    PushLimits push_limits = {};
    std::vector<std::string> cors_origins = {};  // See Origins.
};

}  // namespace stoker::api
