// Prometheus' HTTP API, as Grafana, Perses and promtool use it, in the shapes of Prometheus 3.
//
// Each handler is a function of what the API answers from and of one request. Thread-safe; a query takes as long as it
// takes, so call from a pool.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "alert/rule_group.h"
#include "api/prometheus_answer.h"
#include "api/router.h"
#include "base/time.h"
#include "promql/engine.h"
#include "tsdb/store.h"

namespace stoker::api {

// One endpoint that is scraped.
struct ScrapeTarget {
    enum class Health : std::uint8_t { Unknown, Up, Down };
    std::string pool;
    std::string url;  // With the path.
    tsdb::Labels labels;
    Health health = Health::Unknown;
    std::string error = {};  // Of the last scrape.
    Timestamp last_scrape{};
    double last_seconds = 0;
    Duration interval{0};
    Duration timeout{0};
    std::int64_t samples = 0;      // Of the last scrape.
    tsdb::Labels discovered = {};  // Before relabelling; empty: what the URL says.
};

// Where targets come from, and those that relabelling dropped.
struct Discovery {
    struct Dropped {
        std::string pool;
        tsdb::Labels discovered;
    };
    struct Source {
        std::string pool;
        std::string kind;         // "static", "file", "kubernetes", ...
        std::size_t targets = 0;  // Before relabelling.
        bool asked = false;       // At least once.
        std::string error = {};   // Why its last try failed; its targets are then those from before.
        Timestamp good_at{};
    };
    std::vector<Dropped> dropped = {};                                     // As many as are kept.
    std::vector<std::pair<std::string, std::size_t>> dropped_counts = {};  // By pool, all of them.
    std::vector<Source> sources = {};
};

// What the status endpoints tell.
struct ServerFacts {
    Timestamp started_at{};
    Timestamp config_at{};    // When the configuration in effect was taken.
    bool config_good = true;  // Whether the last reload was.
    std::string config_yaml;  // Secrets masked.
    Duration retention{0};
    std::vector<std::pair<std::string, std::string>> flags;  // By the names of Prometheus' flags.
};

using RuleGroups = std::shared_ptr<const std::vector<alert::GroupStatus>>;

// Functions are thread-safe.
struct PrometheusServices {
    tsdb::Store& store;
    const promql::Engine& engine;
    std::function<Timestamp()> now;
    std::function<std::vector<ScrapeTarget>()> targets;
    std::function<Discovery()> discovery = {};  // Without it nothing is discovered.
    std::function<RuleGroups()> rules;
    std::function<ServerFacts()> facts;
    bool admin = false;                 // Whether /api/v1/admin answers.
    std::string snapshots = {};         // The folder that snapshots are made in.
    tsdb::Labels external_labels = {};  // /federate adds them to series that have none of that name.
};

// /api/v1/... and /federate.
std::vector<Route> prometheus_routes(PrometheusServices& services);

using PrometheusHandler = Result<PrometheusAnswer> (*)(const PrometheusServices&, const ApiRequest&);

// The answer or the error, in Prometheus' shape.
Handler prometheus_handler(PrometheusServices& services, PrometheusHandler handler);

// Each topic's own routes.
std::vector<Route> prometheus_query_routes(PrometheusServices& services);
std::vector<Route> prometheus_series_routes(PrometheusServices& services);
std::vector<Route> prometheus_exemplar_routes(PrometheusServices& services);
std::vector<Route> prometheus_metadata_routes(PrometheusServices& services);
std::vector<Route> prometheus_target_routes(PrometheusServices& services);
std::vector<Route> prometheus_rule_routes(PrometheusServices& services);
std::vector<Route> prometheus_status_routes(PrometheusServices& services);
std::vector<Route> prometheus_admin_routes(PrometheusServices& services);
std::vector<Route> federate_routes(PrometheusServices& services);

}  // namespace stoker::api
