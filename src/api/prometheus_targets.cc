// targets, scrape_pools, alertmanagers: what is scraped, and whom alerts go to.
#include <algorithm>
#include <set>

#include "api/prometheus.h"
#include "api/prometheus_params.h"
#include "base/text.h"
#include "net/http.h"
#include "promql/format.h"

namespace stoker::api {
namespace {

std::string_view name_of(ScrapeTarget::Health health) {
    switch (health) {
        case ScrapeTarget::Health::Up:
            return "up";
        case ScrapeTarget::Health::Down:
            return "down";
        case ScrapeTarget::Health::Unknown:
            break;
    }
    return "unknown";
}

// What the target was made from, by the names that Prometheus gives it before relabelling.
tsdb::Labels discovered_labels(const ScrapeTarget& target) {
    if (!target.discovered.empty()) return target.discovered;
    std::vector<tsdb::Labels::Pair> pairs = {{"job", std::string(target.labels.get("job"))},
                                             {"__scrape_interval__", format_duration(target.interval)},
                                             {"__scrape_timeout__", format_duration(target.timeout)}};
    if (const auto url = net::parse_url(target.url)) {
        pairs.emplace_back("__address__", url->host + ":" + url->port);
        pairs.emplace_back("__scheme__", url->tls ? "https" : "http");
        pairs.emplace_back("__metrics_path__", url->path);
    }
    return tsdb::Labels(std::move(pairs));
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
    out += ",\"" + std::string(name) + "\":";
    promql::append_json_string(out, text);
}

void append_target(std::string& out, const ScrapeTarget& target) {
    const bool scraped = target.health != ScrapeTarget::Health::Unknown;
    out += "{\"discoveredLabels\":";
    promql::append_json_labels(out, discovered_labels(target));
    out += ",\"labels\":";
    promql::append_json_labels(out, target.labels);
    append_member(out, "scrapePool", target.pool);
    append_member(out, "scrapeUrl", target.url);
    append_member(out, "globalUrl", target.url);
    append_member(out, "lastError", target.error);
    append_member(out, "lastScrape", scraped ? format_timestamp(target.last_scrape) : "0001-01-01T00:00:00Z");
    out += ",\"lastScrapeDuration\":" + format_number(target.last_seconds);
    out += ",\"lastScrapeSamples\":" + std::to_string(target.samples);
    append_member(out, "health", name_of(target.health));
    append_member(out, "scrapeInterval", format_duration(target.interval));
    append_member(out, "scrapeTimeout", format_duration(target.timeout));
    out += '}';
}

void append_dropped(std::string& out, const Discovery& discovery, std::string_view pool) {
    out += "\"droppedTargets\":[";
    for (const Discovery::Dropped& target : discovery.dropped) {
        if (!pool.empty() && target.pool != pool) continue;
        out += out.back() == '[' ? "" : ",";
        out += "{\"discoveredLabels\":";
        promql::append_json_labels(out, target.discovered);
        append_member(out, "scrapePool", target.pool);
        out += '}';
    }
    out += "],\"droppedTargetCounts\":{";
    for (const auto& [name, count] : discovery.dropped_counts) {
        if (!pool.empty() && name != pool) continue;
        if (out.back() != '{') out += ',';
        promql::append_json_string(out, name);
        out += ':' + std::to_string(count);
    }
    out += '}';
}

// Beyond what Prometheus tells: how each source fares.
void append_sources(std::string& out, const Discovery& discovery, std::string_view pool) {
    const auto hidden = [pool](const Discovery::Source& source) { return !pool.empty() && source.pool != pool; };
    if (std::all_of(discovery.sources.begin(), discovery.sources.end(), hidden)) return;
    out += ",\"discovery\":[";
    for (const Discovery::Source& source : discovery.sources) {
        if (hidden(source)) continue;
        out += out.back() == '[' ? "{\"scrapePool\":" : ",{\"scrapePool\":";
        promql::append_json_string(out, source.pool);
        append_member(out, "source", source.kind);
        out += ",\"targets\":" + std::to_string(source.targets) + ",\"asked\":" + (source.asked ? "true" : "false");
        append_member(out, "lastError", source.error);
        const bool good = to_millis(source.good_at) > 0;
        append_member(out, "lastSuccess", good ? format_timestamp(source.good_at) : "0001-01-01T00:00:00Z");
        out += '}';
    }
    out += ']';
}

Result<PrometheusAnswer> targets(const PrometheusServices& services, const ApiRequest& request) {
    const std::string_view state = prometheus_param(request, "state");
    const std::string_view pool = prometheus_param(request, "scrapePool");
    PrometheusAnswer answer("{\"activeTargets\":[");
    if (state != "dropped") {
        for (const ScrapeTarget& target : services.targets()) {
            if (!pool.empty() && target.pool != pool) continue;
            if (answer.out().back() != '[') answer.out() += ',';
            append_target(answer.out(), target);
        }
    }
    answer.out() += "],";
    const Discovery discovery = services.discovery ? services.discovery() : Discovery{};
    if (state == "active") {
        answer.out() += "\"droppedTargets\":[],\"droppedTargetCounts\":null";
    } else {
        append_dropped(answer.out(), discovery, pool);
    }
    append_sources(answer.out(), discovery, pool);
    answer.out() += '}';
    return answer;
}

Result<PrometheusAnswer> scrape_pools(const PrometheusServices& services, const ApiRequest&) {
    std::set<std::string> pools;
    for (const ScrapeTarget& target : services.targets()) pools.insert(target.pool);
    PrometheusAnswer answer("{\"scrapePools\":");
    append_json_list(answer.out(), {pools.begin(), pools.end()});
    answer.out() += '}';
    return answer;
}

// Stoker acts on alerts itself.
Result<PrometheusAnswer> alertmanagers(const PrometheusServices&, const ApiRequest&) {
    return PrometheusAnswer(R"({"activeAlertmanagers":[],"droppedAlertmanagers":[]})");
}

}  // namespace

std::vector<Route> prometheus_target_routes(PrometheusServices& services) {
    return {{"GET", "/api/v1/targets", Cost::Work, prometheus_handler(services, targets)},
            {"GET", "/api/v1/scrape_pools", Cost::Work, prometheus_handler(services, scrape_pools)},
            {"GET", "/api/v1/alertmanagers", Cost::Work, prometheus_handler(services, alertmanagers)}};
}

}  // namespace stoker::api
