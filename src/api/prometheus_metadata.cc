// metadata, and targets/metadata: what metric families are, in all and by the target that they come from.
#include <map>
#include <set>

#include "api/prometheus.h"
#include "api/prometheus_params.h"
#include "promql/format.h"

namespace stoker::api {
namespace {

void append_metadata(std::string& out, const tsdb::MetricMetadata& metadata) {
    out += "\"type\":";
    promql::append_json_string(out, metadata.type);
    out += ",\"help\":";
    promql::append_json_string(out, metadata.help);
    out += ",\"unit\":";
    promql::append_json_string(out, metadata.unit);
}

Result<PrometheusAnswer> metadata(const PrometheusServices& services, const ApiRequest& request) {
    TRY(const auto limit, prometheus_number(request, "limit"));
    // The store keeps one entry a family, so any limit of one or more holds.
    TRY([[maybe_unused]] const auto per_metric, prometheus_number(request, "limit_per_metric"));
    PrometheusAnswer answer("{");
    std::int64_t count = 0;
    for (const auto& [family, one] : services.store.metadata(std::string(prometheus_param(request, "metric")))) {
        if (limit && *limit >= 0 && count >= *limit) break;
        if (count++ > 0) answer.out() += ',';
        promql::append_json_string(answer.out(), family);
        answer.out() += ":[{";
        append_metadata(answer.out(), one);
        answer.out() += "}]";
    }
    answer.out() += '}';
    return answer;
}

// The family of a series' name: the name itself, or without the suffix that its type adds.
const tsdb::FamilyMetadata* family_of(const std::map<std::string, tsdb::FamilyMetadata>& families, std::string name) {
    if (const auto found = families.find(name); found != families.end()) return &found->second;
    for (const std::string_view suffix : {"_bucket", "_sum", "_count", "_total", "_created", "_info"}) {
        if (!name.ends_with(suffix)) continue;
        const auto found = families.find(name.substr(0, name.size() - suffix.size()));
        return found == families.end() ? nullptr : &found->second;
    }
    return nullptr;
}

// Those of `families` that series of this target belong to now.
Result<std::vector<const tsdb::FamilyMetadata*>> families_of(
    const PrometheusServices& services, const ScrapeTarget& target,
    const std::map<std::string, tsdb::FamilyMetadata>& families) {
    std::vector<tsdb::Matcher> matchers;
    for (const auto& [name, value] : target.labels) matchers.push_back({name, tsdb::Matcher::Op::Equal, value});
    const std::int64_t now = to_millis(services.now());
    const std::int64_t since = now - services.engine.options().lookback.count();
    TRY(const auto names, services.store.label_values(std::string(tsdb::kMetricName), matchers, since, now));
    std::set<const tsdb::FamilyMetadata*> seen;
    std::vector<const tsdb::FamilyMetadata*> found;
    for (const std::string& name : names) {
        const auto* family = family_of(families, name);
        if (family != nullptr && seen.insert(family).second) found.push_back(family);
    }
    return found;
}

Result<PrometheusAnswer> targets_metadata(const PrometheusServices& services, const ApiRequest& request) {
    TRY(const auto limit, prometheus_number(request, "limit"));
    std::vector<tsdb::Matcher> wanted;
    if (const std::string_view text = prometheus_param(request, "match_target"); !text.empty()) {
        auto matchers = promql::parse_selector(text);
        if (!matchers) return bad_param("match_target", matchers.error().message);
        wanted = *std::move(matchers);
    }
    const std::string metric(prometheus_param(request, "metric"));
    std::map<std::string, tsdb::FamilyMetadata> families;
    for (auto& one : services.store.metadata(metric)) families.emplace(one.family, one);
    TRY(const auto matchers, tsdb::compile_all(wanted));

    PrometheusAnswer answer("[");
    std::int64_t count = 0;
    for (const ScrapeTarget& target : services.targets()) {
        if (limit && *limit >= 0 && count >= *limit) break;
        if (!match_all(matchers, target.labels)) continue;
        ++count;
        TRY(const auto mine, families_of(services, target, families));
        for (const tsdb::FamilyMetadata* family : mine) {
            if (answer.out().back() != '[') answer.out() += ',';
            answer.out() += "{\"target\":";
            promql::append_json_labels(answer.out(), target.labels);
            if (metric.empty()) {
                answer.out() += ",\"metric\":";
                promql::append_json_string(answer.out(), family->family);
            }
            answer.out() += ',';
            append_metadata(answer.out(), family->metadata);
            answer.out() += '}';
        }
    }
    answer.out() += ']';
    return answer;
}

}  // namespace

std::vector<Route> prometheus_metadata_routes(PrometheusServices& services) {
    return {{"GET", "/api/v1/metadata", Cost::Work, prometheus_handler(services, metadata)},
            {"GET", "/api/v1/targets/metadata", Cost::Work, prometheus_handler(services, targets_metadata)}};
}

}  // namespace stoker::api
