// rules and alerts: the groups as of their last evaluation, filtered and in pages.
#include <algorithm>
#include <optional>

#include "alert/rules_json.h"
#include "api/prometheus.h"
#include "api/prometheus_params.h"
#include "promql/format.h"
#include "tsdb/hash.h"

namespace stoker::api {
namespace {

using Groups = std::vector<alert::GroupStatus>;
using Kind = alert::RuleSpec::Kind;

bool wanted(const std::vector<std::string>& names, const std::string& name) {
    return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
}

// What a request asks to see.
struct Filter {
    std::vector<std::string> rule_names;
    std::vector<std::string> group_names;
    std::vector<std::string> files;
    std::optional<Kind> kind;
    std::vector<std::vector<tsdb::CompiledMatcher>> selectors;  // Any of them, over the labels of the rule itself.
    bool exclude_alerts = false;

    bool takes(const alert::RuleStatus& rule) const {
        if (kind && rule.spec.kind != *kind) return false;
        if (!wanted(rule_names, rule.spec.name)) return false;
        if (selectors.empty()) return true;
        const tsdb::Labels labels({rule.spec.labels.begin(), rule.spec.labels.end()});
        return std::any_of(selectors.begin(), selectors.end(),
                           [&](const auto& matchers) { return match_all(matchers, labels); });
    }

    // Those of the group's rules that are wanted; nothing if the group has none of them.
    std::optional<alert::GroupStatus> apply(const alert::GroupStatus& group) const {
        if (!wanted(group_names, group.name) || !wanted(files, group.file)) return std::nullopt;
        alert::GroupStatus kept = group;
        std::erase_if(kept.rules, [&](const auto& rule) { return !takes(rule); });
        if (kept.rules.empty() && !group.rules.empty()) return std::nullopt;
        if (exclude_alerts) {
            for (auto& rule : kept.rules) rule.alerts.clear();
        }
        return kept;
    }
};

Result<Filter> read_filter(const ApiRequest& request) {
    Filter filter;
    const std::string_view type = prometheus_param(request, "type");
    if (type == "alert") filter.kind = Kind::Alerting;
    if (type == "record") filter.kind = Kind::Recording;
    if (!type.empty() && !filter.kind) return bad_param("type", "not supported value " + promql::quote(type));
    filter.rule_names = prometheus_params(request, "rule_name[]");
    filter.group_names = prometheus_params(request, "rule_group[]");
    filter.files = prometheus_params(request, "file[]");
    TRY(filter.exclude_alerts, prometheus_bool(request, "exclude_alerts"));
    TRY(const auto selectors, prometheus_matchers(request));
    for (const auto& matchers : selectors) {
        TRY(auto compiled, tsdb::compile_all(matchers));
        filter.selectors.push_back(std::move(compiled));
    }
    return filter;
}

// Names a group to go on from; opaque to clients.
std::string token_of(const alert::GroupStatus& group) {
    static constexpr std::string_view kHex = "0123456789abcdef";
    const std::uint64_t hash = tsdb::hash_text(group.file + ";" + group.name, 0);
    std::string token;
    for (int shift = 60; shift >= 0; shift -= 4) token += kHex[(hash >> shift) & 15];
    return token;
}

struct Page {
    std::size_t limit = 0;  // Groups; 0: all.
    std::string from;       // The token of the first; empty: from the beginning.
};

Result<Page> read_page(const ApiRequest& request) {
    Page page;
    page.from = prometheus_param(request, "group_next_token");
    TRY(const auto limit, prometheus_number(request, "group_limit"));
    if (!limit) {
        if (page.from.empty()) return page;
        return bad_param("group_limit", "group_limit needs to be present in order to paginate over the groups");
    }
    if (*limit <= 0) return bad_param("group_limit", "group_limit needs to be greater than 0");
    page.limit = static_cast<std::size_t>(*limit);
    return page;
}

Result<PrometheusAnswer> rules(const PrometheusServices& services, const ApiRequest& request) {
    TRY(const Filter filter, read_filter(request));
    TRY(const Page page, read_page(request));
    const auto all = services.rules();
    auto next = all->begin();
    if (!page.from.empty()) {
        next = std::find_if(all->begin(), all->end(), [&](const auto& group) { return token_of(group) == page.from; });
        if (next == all->end()) {
            return bad_param("group_next_token",
                             "invalid group_next_token '" + page.from + "'. were rule groups changed?");
        }
    }
    Groups shown;
    for (; next != all->end() && (page.limit == 0 || shown.size() < page.limit); ++next) {
        if (auto kept = filter.apply(*next)) shown.push_back(*std::move(kept));
    }
    PrometheusAnswer answer(alert::rules_to_json(shown));
    if (next != all->end()) {
        answer.out().pop_back();
        answer.out() += ",\"groupNextToken\":\"" + token_of(*next) + "\"}";
    }
    return answer;
}

Result<PrometheusAnswer> alerts(const PrometheusServices& services, const ApiRequest&) {
    return PrometheusAnswer(alert::alerts_to_json(*services.rules()));
}

}  // namespace

std::vector<Route> prometheus_rule_routes(PrometheusServices& services) {
    return {{"GET", "/api/v1/rules", Cost::Work, prometheus_handler(services, rules)},
            {"GET", "/api/v1/alerts", Cost::Work, prometheus_handler(services, alerts)}};
}

}  // namespace stoker::api
