// The smaller sections: rules, collect, storage, query, ingest, api, log, runtime.
#include <fmt/format.h>

#include "app/config.h"
#include "app/config_checks.h"
#include "app/config_scrape.h"
#include "base/text.h"

namespace stoker::app {
void describe(config::Fields& f, RulesConfig& c) {
    f.field("files", c.files,
            "Rule files in Prometheus' format, relative to the configuration file; `*`, `?` and `[...]` match names.");
    positive(f, "interval", c.interval, "How often groups without an interval of their own are evaluated.");
    f.field("query_offset", c.query_offset,
            "How far back groups without an offset of their own look, where samples arrive late.");
    at_least(f, "concurrency", c.concurrency, 1, "Groups evaluated at a time. Changes take effect after a restart.");
    f.check("concurrency", c.concurrency <= 64, "must be at most 64");
}

void describe(config::Fields& f, DiscoveryConfig& c) {
    f.field("enabled", c.enabled,
            "Looks for engines on this machine's loopback, on the ports that they use by default (docs/engines.md).");
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
    f.field(
        "honor_labels", c.honor_labels,
        "Labels of the page win over the target's own of the same name (a `/federate` or a push gateway); otherwise "
        "they are kept as `exported_NAME`.");
    f.field("honor_timestamps", c.honor_timestamps,
            "Times that the page gives are taken; otherwise all samples have that of the scrape.");
}

void describe(config::Fields& f, CollectConfig& c) {
    f.field("host", c.host, "Whether this machine is measured, under node_exporter's names.");
    f.object("gpu", c.gpu, "This machine's GPUs (docs/gpu.md).");
    f.object("node", c.node, "What of this machine is measured, and how often (docs/host.md).");
    positive(f, "scrape_interval", c.scrape_interval,
             "Time between two scrapes of an engine or target, and between two measurements of this machine.");
    positive(f, "scrape_timeout", c.scrape_timeout, "Limit for one scrape; never more than `scrape_interval`.");
    f.field("max_scrape_size", c.max_scrape_size, "Largest answer of a scrape; a larger one is refused.");
    f.check("max_scrape_size", c.max_scrape_size.count > 0, kMustBePositive);
    f.field(
        "scrape_native_histograms", c.scrape_native_histograms,
        "Asks for the protobuf format first, the one that has native histograms; what comes as such is not taken as "
        "classic buckets too.");
    at_least(f, "sample_limit", c.sample_limit, 1, "Samples on one page; a page with more is a failed scrape.");
    at_least(f, "label_limit", c.label_limit, 1,
             "Labels of a sample, the metric's name included; a page with more on one is a failed scrape.");
    at_least(f, "label_name_length_limit", c.label_name_length_limit, 1, "The same for the bytes of a label's name,");
    at_least(f, "label_value_length_limit", c.label_value_length_limit, 1, "and for those of its value.");
    f.object("discovery", c.discovery, "Finding engines that the configuration does not name.");
    f.object("engines", c.engines, "How engines are recognised and read.");
    f.list("targets", c.targets,
           "Further Prometheus endpoints to scrape. Replicas of pools are scraped without being named.");
    describe_scraping(f, c);
    f.list("programs", c.programs,
           "Collectors that are programs: what they write in Prometheus' text format is kept (docs/extending.md). "
           "Changes take effect after a restart.");
    check_programs(f, c.programs);
    f.field(
        "textfiles", c.textfiles,
        "Folders whose files *.prom are kept, as node_exporter's textfile collector does. Changes take effect after "
        "a restart.");
}

void describe(config::Fields& f, MetricsStorageConfig& c) {
    positive(f, "retention", c.retention, "How long samples are kept.");
    f.field("retention_size", c.retention_size,
            "Size on disk past which the oldest days of samples go, however young they are; 0 sets no such limit.");
    f.field("rollup_retention", c.rollup_retention,
            "How long 5-minute and 1-hour rollups are kept, which long ranges are answered from; 0 makes none.");
    f.field("out_of_order_window", c.out_of_order_window,
            "How far behind the newest sample of its series a sample may be; older ones are refused and counted.");
    f.field("future_window", c.future_window,
            "How far ahead of this machine's clock a sample may be; 0 sets no limit.");
    durability(f, c.durability);
    at_least(f, "max_series", c.max_series, 1, "Series kept at most; samples of further ones are refused and counted.");
    at_least(f, "max_series_per_target", c.max_series_per_target, 0,
             "The same for series of one `job` and `instance`; 0 sets no limit.");
    at_least(f, "max_series_per_tenant", c.max_series_per_tenant, 0,
             "The same for series with one value of the label `tenant`; 0 sets no limit.");
    at_least(f, "max_exemplars", c.max_exemplars, 0, "Exemplars kept in memory, in all; the oldest go first.");
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
    f.object("telemetry", c.telemetry, "Traces and logs.");
}

void describe(config::Fields& f, QueryConfig& c) {
    at_least(f, "max_concurrency", c.max_concurrency, 1,
             "Queries evaluated at a time; further ones wait, and the wait counts towards their timeout.");
    f.check("max_concurrency", c.max_concurrency <= 1024, "must be at most 1024");
    positive(f, "timeout", c.timeout, "Limit for one query. A request may ask for less.");
    at_least(f, "max_samples", c.max_samples, 1, "Samples that one query may hold in memory; past it, it fails.");
    positive(f, "lookback", c.lookback, "How old the newest sample of a series may be to count as its current value.");
    at_least(f, "threads", c.threads, 0, "Threads that one query may use; 0 takes half the cores, at least one.");
    f.field("experimental", c.experimental,
            "Allows PromQL's experimental functions, aggregations, modifiers and duration expressions.");
}

void describe(config::Fields& f, OtlpConfig& c) {
    f.choice("translation_strategy", c.translation_strategy,
             {"UnderscoreEscapingWithSuffixes", "UnderscoreEscapingWithoutSuffixes", "NoUTF8EscapingWithSuffixes",
              "NoTranslation"},
             "What names become: with or without unit and type as suffixes, other characters as underscores or kept.");
    f.field("promote_resource_attributes", c.promote_resource_attributes,
            "Attributes of the resource that become labels of each of its series; the others stand in `target_info`.");
    f.field("promote_all_resource_attributes", c.promote_all_resource_attributes, "All of them do.");
    f.field("promote_scope_metadata", c.promote_scope_metadata,
            "The instrumentation scope's name, version and attributes become labels `otel_scope_...`.");
    f.field("keep_identifying_resource_attributes", c.keep_identifying_resource_attributes,
            "`target_info` also has the attributes that `job` and `instance` are made of.");
    f.field("convert_histograms_to_nhcb", c.convert_histograms_to_nhcb,
            "Histograms with explicit bounds become native ones with custom buckets.");
}

void describe(config::Fields& f, IngestConfig& c) {
    f.field("max_body", c.max_body, "Largest body of one push, as sent; a larger one gets 413.");
    f.check("max_body", c.max_body.count > 0, kMustBePositive);
    f.field("max_decompressed", c.max_decompressed, "Largest body once decompressed; a larger one is refused.");
    f.check("max_decompressed", c.max_decompressed.count > 0, kMustBePositive);
    f.field("max_in_flight", c.max_in_flight,
            "Memory for the bodies of all pushes under way; past it senders are told to come back later.");
    f.check("max_in_flight", c.max_in_flight >= c.max_body, "must not be smaller than `max_body`");
    f.field("require_token", c.require_token,
            "Refuses what is pushed without a token of `stoker agents token create`. A token that is sent must be good "
            "either way.");
    f.object("otlp", c.otlp, "How OpenTelemetry's metrics become series; the keys are those of Prometheus' `otlp`.");
}

void describe(config::Fields& f, ApiConfig& c) {
    f.field("admin", c.admin, "Allows `/api/v1/admin/tsdb/...`, which deletes series and makes snapshots.");
    f.field("cors_origins", c.cors_origins,
            "Origins (`https://grafana.example`) whose pages may read the Prometheus API in a visitor's browser; `*` "
            "for all.");
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
