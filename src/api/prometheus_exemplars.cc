// query_exemplars: the exemplars of every series that a query reads.
#include "api/prometheus.h"
#include "api/prometheus_params.h"
#include "promql/format.h"
#include "promql/parser.h"

namespace stoker::api {
namespace {

using Selectors = std::vector<std::vector<tsdb::Matcher>>;

// The selectors in a syntax tree, in order.
void collect_selectors(const promql::Expr& expr, Selectors& out) {
    struct Visitor {
        Selectors& out;
        void into(const promql::ExprPtr& inner) const {
            if (inner) collect_selectors(*inner, out);
        }
        void operator()(const promql::NumberLiteral&) const {}
        void operator()(const promql::StringLiteral&) const {}
        void operator()(const promql::VectorSelector& node) const { out.push_back(node.matchers); }
        void operator()(const promql::MatrixSelector& node) const { into(node.vector); }
        void operator()(const promql::Subquery& node) const { into(node.inner); }
        void operator()(const promql::Call& node) const {
            for (const auto& argument : node.args) into(argument);
        }
        void operator()(const promql::Aggregate& node) const {
            into(node.param);
            into(node.inner);
        }
        void operator()(const promql::Binary& node) const {
            into(node.left);
            into(node.right);
        }
        void operator()(const promql::Unary& node) const { into(node.inner); }
        void operator()(const promql::Paren& node) const { into(node.inner); }
    };
    std::visit(Visitor{out}, expr.node);
}

void append_exemplars(std::string& out, const tsdb::SeriesExemplars& series) {
    out += "{\"seriesLabels\":";
    promql::append_json_labels(out, series.series);
    out += ",\"exemplars\":[";
    for (const tsdb::Exemplar& exemplar : series.exemplars) {
        if (&exemplar != &series.exemplars.front()) out += ',';
        out += "{\"labels\":";
        promql::append_json_labels(out, exemplar.labels);
        out += ",\"value\":\"" + promql::format_sample_value(exemplar.value);
        out += "\",\"timestamp\":" + promql::format_seconds(exemplar.time) + "}";
    }
    out += "]}";
}

Result<PrometheusAnswer> query_exemplars(const PrometheusServices& services, const ApiRequest& request) {
    TRY(const TimeSpan span, prometheus_span(request));
    if (span.end < span.start) {
        return Error{Errc::InvalidArgument, "end timestamp must not be before start timestamp"};
    }
    TRY(const promql::ExprPtr expr, promql::parse(prometheus_param(request, "query")));
    Selectors selectors;
    collect_selectors(*expr, selectors);
    if (selectors.empty()) return PrometheusAnswer::nothing();
    TRY(const auto found, services.store.exemplars(selectors, span.start, span.end));
    PrometheusAnswer answer("[");
    for (const tsdb::SeriesExemplars& series : found) {
        if (&series != &found.front()) answer.out() += ',';
        append_exemplars(answer.out(), series);
    }
    answer.out() += ']';
    return answer;
}

}  // namespace

std::vector<Route> prometheus_exemplar_routes(PrometheusServices& services) {
    return {{"GET,POST", "/api/v1/query_exemplars", Cost::Query, prometheus_handler(services, query_exemplars)}};
}

}  // namespace stoker::api
