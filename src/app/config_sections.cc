// The smaller sections: rules, collect, storage, log, runtime.
#include <fmt/format.h>

#include "app/config.h"
#include "app/config_checks.h"
#include "base/text.h"
#include "net/http.h"

namespace stoker::app {
namespace {

void check_url(config::Fields& f, std::string_view key, const std::string& url) {
    if (url.empty()) return;
    const auto parsed = net::parse_url(url);
    f.check(key, parsed.has_value(), parsed ? "" : parsed.error().message);
}

}  // namespace

void describe(config::Fields& f, RulesConfig& c) {
    f.field("files", c.files,
            "Rule files in Prometheus' format, relative to the configuration file; `*`, `?` and `[...]` match names.");
    positive(f, "interval", c.interval, "How often groups without an interval of their own are evaluated.");
}

void describe(config::Fields& f, DiscoveryConfig& c) {
    f.field("enabled", c.enabled,
            "Looks for engines on this machine's loopback, on the ports that vLLM, SGLang, TGI, llama.cpp, Ollama and "
            "LMDeploy use.");
    positive(f, "interval", c.interval, "Time between two searches.");
    f.field("ports", c.ports, "Further ports to look at.");
    for (std::size_t i = 0; i < c.ports.size(); ++i) {
        const auto port = parse_integer(c.ports[i]);
        f.check(fmt::format("ports[{}]", i), port && *port >= 1 && *port <= 65535, "must be a port, from 1 to 65535");
    }
}

void describe(config::Fields& f, TargetConfig& c) {
    f.field("url", c.url, "Where it answers: http://HOST:PORT.");
    f.required("url");
    check_url(f, "url", c.url);
    f.field("path", c.path, "Path of its metrics.");
    f.check("path", c.path.starts_with('/'), "must begin with '/'");
    f.secret("token", c.token, "Bearer token sent along.");
}

void describe(config::Fields& f, CollectConfig& c) {
    f.field("host", c.host, "Whether this machine is measured, under node_exporter's names.");
    positive(f, "scrape_interval", c.scrape_interval,
             "Time between two scrapes of an engine or target, and between two measurements of this machine.");
    positive(f, "scrape_timeout", c.scrape_timeout, "Limit for one scrape; never more than `scrape_interval`.");
    f.field("max_scrape_size", c.max_scrape_size, "Largest answer of a scrape; a larger one is refused.");
    f.check("max_scrape_size", c.max_scrape_size.count > 0, kMustBePositive);
    f.object("discovery", c.discovery, "Finding engines that the configuration does not name.");
    f.list("targets", c.targets,
           "Further Prometheus endpoints to scrape. Replicas of pools are scraped without being named.");
}

void describe(config::Fields& f, MetricsStorageConfig& c) {
    positive(f, "retention", c.retention, "How long samples are kept.");
    durability(f, c.durability);
    at_least(f, "max_series", c.max_series, 1, "Series kept at most; samples of further ones are refused and counted.");
}

void describe(config::Fields& f, JournalConfig& c) {
    positive(f, "retention", c.retention, "How long records are kept after every reader has passed them.");
    f.field("max_size", c.max_size, "Size past which the oldest segments go, whoever still wants them.");
    f.field("segment_size", c.segment_size, "Size of one segment file.");
    f.check("segment_size", c.segment_size.count >= 64 * 1024, "must be at least 64KiB");
    f.check("max_size", c.max_size >= c.segment_size, "must not be smaller than `segment_size`");
    durability(f, c.durability);
}

void describe(config::Fields& f, RecordsConfig& c) {
    positive(f, "retention", c.retention, "How long request records are kept.");
    f.field("memory_limit", c.memory_limit, "Memory for the record store's buffers and queries together.");
    f.check("memory_limit", c.memory_limit.count >= (std::uint64_t{64} << 20), "must be at least 64MiB");
    at_least(f, "threads", c.threads, 1, "Threads that one SQL query may use.");
}

void describe(config::Fields& f, StorageConfig& c) {
    f.object("metrics", c.metrics, "Samples.");
    f.object("journal", c.journal, "The log of records that everything else is filled from.");
    f.object("records", c.records, "Request records for SQL.");
}

void describe(config::Fields& f, LogConfig& c) {
    f.choice("level", c.level, {"debug", "info", "warn", "error", "off"}, "Least level that is written.");
    f.choice("format", c.format, {"text", "json"}, "Lines for people, or one JSON object a line.");
}

void describe(config::Fields& f, RuntimeConfig& c) {
    at_least(f, "loops", c.loops, 0, "Event loops, each a thread; 0 takes the number of cores, at most 4.");
    at_least(f, "compute_threads", c.compute_threads, 0,
             "Threads for queries and disk; 0 takes the number of cores, at most 4.");
    positive(f, "stop_grace", c.stop_grace, "How long requests under way may take to finish when Stoker stops.");
}

}  // namespace stoker::app
