// series, labels, label values: what there is, without its samples.
#include <algorithm>
#include <set>

#include "api/prometheus.h"
#include "api/prometheus_params.h"
#include "promql/format.h"

namespace stoker::api {
namespace {

using Selectors = std::vector<std::vector<tsdb::Matcher>>;

// The union over all match[], without repeats, in order.
template <typename Find>
Result<std::vector<std::string>> union_of(const Selectors& selectors, const TimeSpan& span, Find find) {
    if (span.end < span.start) return std::vector<std::string>();
    if (selectors.empty()) return find({});
    if (selectors.size() == 1) return find(selectors.front());
    std::set<std::string> all;
    for (const auto& matchers : selectors) {
        TRY(std::vector<std::string> found, find(matchers));
        all.insert(std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
    }
    return std::vector<std::string>(all.begin(), all.end());
}

PrometheusAnswer list_answer(std::vector<std::string> texts, std::size_t limit) {
    PrometheusAnswer answer;
    if (limit != 0 && texts.size() > limit) {
        texts.resize(limit);
        answer.warn(kTruncated);
    }
    append_json_list(answer.out(), texts);
    return answer;
}

// Series of all selectors, each once, sorted by labels.
Result<std::vector<std::shared_ptr<tsdb::Series>>> select_all(const tsdb::Querier& querier, const Selectors& selectors,
                                                              const TimeSpan& span) {
    std::vector<std::shared_ptr<tsdb::Series>> all;
    if (span.end < span.start) return all;
    for (const auto& matchers : selectors) {
        TRY(auto found, querier.select(matchers, span.start, span.end, 0));
        all.insert(all.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
    }
    if (selectors.size() < 2) return all;
    const auto less = [](const auto& a, const auto& b) { return a->labels() < b->labels(); };
    const auto same = [](const auto& a, const auto& b) { return a->labels() == b->labels(); };
    std::sort(all.begin(), all.end(), less);
    all.erase(std::unique(all.begin(), all.end(), same), all.end());
    return all;
}

Result<PrometheusAnswer> series(const PrometheusServices& services, const ApiRequest& request) {
    if (prometheus_params(request, "match[]").empty()) {
        return Error{Errc::InvalidArgument, "no match[] parameter provided"};
    }
    TRY(const std::size_t limit, prometheus_limit(request));
    TRY(const TimeSpan span, prometheus_span(request));
    TRY(const auto selectors, prometheus_matchers(request));
    TRY(const auto found, select_all(services.store, selectors, span));
    PrometheusAnswer answer("[");
    std::size_t count = 0;
    for (const auto& one : found) {
        if (limit != 0 && count == limit) {
            answer.warn(kTruncated);
            break;
        }
        if (count++ > 0) answer.out() += ',';
        promql::append_json_labels(answer.out(), one->labels());
    }
    answer.out() += ']';
    return answer;
}

// Prometheus has this route, and this answer.
Result<PrometheusAnswer> drop_series(const PrometheusServices&, const ApiRequest&) {
    return Error{Errc::Internal, "not implemented"};
}

Result<PrometheusAnswer> labels(const PrometheusServices& services, const ApiRequest& request) {
    TRY(const std::size_t limit, prometheus_limit(request));
    TRY(const TimeSpan span, prometheus_span(request));
    TRY(const auto selectors, prometheus_matchers(request));
    TRY(std::vector<std::string> names, union_of(selectors, span, [&](const std::vector<tsdb::Matcher>& matchers) {
            return services.store.label_names(matchers, span.start, span.end);
        }));
    return list_answer(std::move(names), limit);
}

Result<PrometheusAnswer> label_values(const PrometheusServices& services, const ApiRequest& request) {
    TRY(const std::string name, prometheus_label_name(request.captures.front()));
    TRY(const std::size_t limit, prometheus_limit(request));
    TRY(const TimeSpan span, prometheus_span(request));
    TRY(const auto selectors, prometheus_matchers(request));
    TRY(std::vector<std::string> values, union_of(selectors, span, [&](const std::vector<tsdb::Matcher>& matchers) {
            return services.store.label_values(name, matchers, span.start, span.end);
        }));
    return list_answer(std::move(values), limit);
}

}  // namespace

std::vector<Route> prometheus_series_routes(PrometheusServices& services) {
    return {{"GET,POST", "/api/v1/series", Cost::Query, prometheus_handler(services, series)},
            {"DELETE", "/api/v1/series", Cost::Quick, prometheus_handler(services, drop_series)},
            {"GET,POST", "/api/v1/labels", Cost::Query, prometheus_handler(services, labels)},
            {"GET", "/api/v1/label/*/values", Cost::Query, prometheus_handler(services, label_values)}};
}

}  // namespace stoker::api
