// Stoker itself: every part built in order, connected, and stopped in reverse.
//
// start(), reload() and stop() from the main thread; the rest is thread-safe.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <string>
#include <vector>

#include "api/console.h"
#include "api/live.h"
#include "api/services.h"
#include "app/access_log.h"
#include "app/agent_book.h"
#include "app/brain.h"
#include "app/config.h"
#include "app/data_folder.h"
#include "app/degradation_watch.h"
#include "app/discovered.h"
#include "app/engine_loads.h"
#include "app/forwarding.h"
#include "app/gateway_counts.h"
#include "app/gpus.h"
#include "app/issuer_keys.h"
#include "app/key_book.h"
#include "app/log_collection.h"
#include "app/outward.h"
#include "app/own_traces.h"
#include "app/pipelines.h"
#include "app/receivers.h"
#include "app/storage.h"
#include "collect/collector.h"
#include "collect/discovery/scrape_manager.h"
#include "collect/source_runner.h"
#include "gateway/gateway.h"
#include "net/loops.h"
#include "net/server.h"

namespace stoker::app {

struct StokerSetup {
    Config config;
    std::vector<alert::RuleGroupSpec> rules;
    std::string config_file;  // Empty: none, so nothing to reload.
    std::string data_dir;
    bool demo = false;
    // What a reload reads: the file with the command line's overrides on it.
    std::function<LoadedConfig()> load;
};

class Stoker {
public:
    // Everything runs and the listeners answer when it returns. Errors say which part failed and why.
    static Result<std::unique_ptr<Stoker>> start(StokerSetup setup);
    ~Stoker();

    const std::string& gateway_address() const { return gateway_address_; }
    const std::string& console_address() const { return console_address_; }
    net::Loops& loops() { return loops_; }

    // Takes the whole new configuration, or keeps the old one and says why. Thread-safe.
    api::ReloadOutcome reload();

    // Makes a backup in DATA/backups and returns where, as JSON. Errors: Conflict while another is being made.
    Result<std::string> backup();

    // Graceful: traffic first, data last; each part's time is logged.
    void stop();

private:
    explicit Stoker(StokerSetup setup, DataFolder folder);
    Result<Unit> build();
    void build_collector();
    void build_sources();
    void follow_engines();
    void build_services();
    // Has the gateway go on where switches and canaries were, and keep them.
    void restore_release();
    void restore_drained();
    Result<Unit> listen();
    void start_jobs();

    void follow_discovery();
    Result<Unit> open_keys();
    void restore_limits();
    void save_limits();
    void save_key_uses();
    // The configuration, with what was discovered where it names no pools.
    Config in_effect() const REQUIRES_LOCK(mutex_);
    void apply(const Config& config, std::vector<alert::RuleGroupSpec> rules);
    api::Status status() const;
    Result<std::string> incident(const std::string& id) const;
    std::vector<api::EngineFacts> engine_facts() const;
    std::vector<api::ProcessFacts> process_facts() const;
    api::PrometheusServices prometheus_services();
    std::vector<api::ScrapeTarget> scrape_targets() const;
    api::Discovery discovery() const;
    api::ServerFacts server_facts() const;

    // Constant after construction.
    StokerSetup setup_;
    DataFolder folder_;
    const Timestamp started_at_ = now();
    std::string gateway_address_;
    std::string console_address_;

    metrics::Registry registry_;
    net::Loops loops_;
    boost::asio::thread_pool pool_;
    boost::asio::thread_pool query_pool_;
    api::Live live_;
    promql::Engine engine_;
    EventBridge events_;
    std::unique_ptr<Storage> storage_;
    std::unique_ptr<Outward> outward_;
    std::unique_ptr<RequestPipeline> requests_;
    std::unique_ptr<Forwarding> forwarding_;
    std::unique_ptr<SamplePipeline> samples_;
    std::unique_ptr<gateway::Gateway> gateway_;
    std::unique_ptr<KeyBook> keys_;
    std::unique_ptr<AgentBook> agents_;
    std::unique_ptr<IssuerKeyFetcher> issuer_keys_;
    std::unique_ptr<DegradationWatch> degradation_;
    std::unique_ptr<AccessLog> access_log_;
    std::unique_ptr<TraceExport> traces_;
    std::unique_ptr<OwnTraces> own_traces_;
    std::unique_ptr<EngineLoads> engine_loads_;
    std::unique_ptr<GatewayCounts> gateway_counts_;
    std::unique_ptr<collect::Collector> collector_;
    std::unique_ptr<collect::SourceRunner> sources_;
    std::unique_ptr<collect::ScrapeManager> scrapes_;
    std::unique_ptr<Gpus> gpus_;
    std::unique_ptr<Brain> brain_;
    std::unique_ptr<Receivers> receivers_;
    std::unique_ptr<LogCollection> logs_;
    std::unique_ptr<api::Services> services_;
    std::unique_ptr<api::Console> console_;
    std::unique_ptr<net::Server> gateway_server_;
    std::unique_ptr<net::Server> console_server_;
    std::vector<std::unique_ptr<Job>> jobs_;

    mutable Mutex mutex_;               // Held while a configuration or a discovery is applied.
    Config config_ GUARDED_BY(mutex_);  // As given.
    std::vector<alert::RuleGroupSpec> rules_ GUARDED_BY(mutex_);
    DiscoveredPools discovered_ GUARDED_BY(mutex_);
    Timestamp config_at_ GUARDED_BY(mutex_);
    bool config_good_ GUARDED_BY(mutex_) = true;  // Whether the last reload was.

    std::atomic<bool> ready_{false};
    std::atomic<bool> backing_up_{false};
    bool stopped_ = false;
    std::int64_t saved_gateways_ = 0;  // Touched by save_limits() alone.
};

}  // namespace stoker::app
