// query, query_range, format_query, parse_query.
#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>

#include "api/counting_querier.h"
#include "api/prometheus.h"
#include "api/prometheus_params.h"
#include "base/text.h"
#include "promql/format.h"

namespace stoker::api {
namespace {

// Parse errors carry the parameter's name, as Prometheus gives it.
Error in_query(Error error) {
    const bool parse = error.code == Errc::InvalidArgument && error.detail == 0 &&
                       error.message.find(": parse error: ") != std::string::npos;
    return parse ? bad_param("query", error.message) : error;
}

// The engine with what a request may change of it. Prometheus lets it shorten the timeout, never lengthen it; waiting
// for a thread is part of that time.
Result<promql::Engine> engine_for(const PrometheusServices& services, const ApiRequest& request) {
    promql::EngineOptions options = services.engine.options();
    if (!prometheus_param(request, "timeout").empty()) {
        TRY(const Duration timeout, prometheus_duration(request, "timeout"));
        options.timeout = std::min(options.timeout, timeout);
    }
    if (!prometheus_param(request, "lookback_delta").empty()) {
        const auto lookback = prometheus_duration(request, "lookback_delta");
        if (!lookback) {
            const std::string why = lookback.error().message;
            return Error{Errc::InvalidArgument,
                         "error parsing lookback delta duration: " + why.substr(why.find(": ") + 2)};
        }
        if (lookback->count() > 0) options.lookback = *lookback;
    }
    if (request.queued.count() > 0 && request.queued >= options.timeout) {
        return Error{Errc::DeadlineExceeded, "query timed out in query queue"};
    }
    options.timeout -= std::min(request.queued, options.timeout);
    return promql::Engine(options);
}

std::string seconds(std::chrono::nanoseconds time) {
    return format_number(std::chrono::duration<double>(time).count());
}

// One evaluation with its clock and, if asked for, its counts.
class Evaluation {
public:
    Evaluation(const PrometheusServices& services, const ApiRequest& request)
        : store_(services.store), queued_(request.queued) {
        if (!prometheus_param(request, "stats").empty()) counting_.emplace(services.store);
    }

    const tsdb::Querier& querier() const { return counting_ ? static_cast<const tsdb::Querier&>(*counting_) : store_; }

    PrometheusAnswer answer(promql::Value value, std::size_t limit) {
        const auto took = std::chrono::steady_clock::now() - began_;
        PrometheusAnswer answer;
        const auto truncate = [&](auto& list) {
            if (limit == 0 || list.size() <= limit) return;
            list.resize(limit);
            answer.warn(kTruncated);
        };
        if (auto* vector = std::get_if<promql::Vector>(&value.data)) truncate(*vector);
        if (auto* matrix = std::get_if<promql::Matrix>(&value.data)) truncate(*matrix);
        promql::append_prometheus_json(answer.out(), value);
        if (counting_) {
            answer.out().pop_back();  // The brace; statistics stand beside the result.
            append_stats(answer.out(), took);
            answer.out() += '}';
        }
        answer.add_notes(std::move(value.warnings), std::move(value.infos));
        return answer;
    }

private:
    // The engine sorts and prepares as it evaluates, so that those have no time of their own.
    void append_stats(std::string& out, std::chrono::nanoseconds took) const {
        const std::string evaluated = seconds(took);
        const std::string samples = std::to_string(counting_->samples());
        out += ",\"stats\":{\"timings\":{\"evalTotalTime\":" + evaluated;
        out += ",\"resultSortTime\":0,\"queryPreparationTime\":0,\"innerEvalTime\":" + evaluated;
        out += ",\"execQueueTime\":" + seconds(queued_);
        out += ",\"execTotalTime\":" + seconds(took + queued_);
        out += "},\"samples\":{\"totalQueryableSamples\":" + samples + ",\"peakSamples\":" + samples + "}}";
    }

    const tsdb::Querier& store_;
    const std::chrono::nanoseconds queued_;
    std::optional<CountingQuerier> counting_;
    const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

Result<PrometheusAnswer> query(const PrometheusServices& services, const ApiRequest& request) {
    TRY(const std::size_t limit, prometheus_limit(request));
    TRY(const Timestamp at, prometheus_time(request, "time", services.now()));
    TRY(const promql::Engine engine, engine_for(services, request));
    Evaluation evaluation(services, request);
    auto value = engine.instant(evaluation.querier(), prometheus_param(request, "query"), at, request.cancelled);
    if (!value) return in_query(std::move(value).error());
    return evaluation.answer(*std::move(value), limit);
}

Result<PrometheusAnswer> query_range(const PrometheusServices& services, const ApiRequest& request) {
    TRY(const std::size_t limit, prometheus_limit(request));
    TRY(const Timestamp start, prometheus_time(request, "start"));
    TRY(const Timestamp end, prometheus_time(request, "end"));
    if (end < start) return bad_param("end", "end timestamp must not be before start time");
    TRY(const Duration step, prometheus_duration(request, "step"));
    if (step.count() <= 0) {
        return bad_param("step",
                         "zero or negative query resolution step widths are not accepted. Try a positive integer");
    }
    TRY(const promql::Engine engine, engine_for(services, request));
    Evaluation evaluation(services, request);
    auto value =
        engine.range(evaluation.querier(), prometheus_param(request, "query"), start, end, step, request.cancelled);
    if (!value) return in_query(std::move(value).error());
    return evaluation.answer(*std::move(value), limit);
}

Result<PrometheusAnswer> format_query(const PrometheusServices& services, const ApiRequest& request) {
    auto text = services.engine.format(prometheus_param(request, "query"));
    if (!text) return in_query(std::move(text).error());
    PrometheusAnswer answer;
    promql::append_json_string(answer.out(), *text);
    return answer;
}

Result<PrometheusAnswer> parse_query(const PrometheusServices& services, const ApiRequest& request) {
    auto tree = services.engine.syntax_tree_json(prometheus_param(request, "query"));
    if (!tree) return in_query(std::move(tree).error());
    return PrometheusAnswer(*tree);
}

}  // namespace

std::vector<Route> prometheus_query_routes(PrometheusServices& services) {
    return {{"GET,POST", "/api/v1/query", Cost::Query, prometheus_handler(services, query)},
            {"GET,POST", "/api/v1/query_range", Cost::Query, prometheus_handler(services, query_range)},
            {"GET,POST", "/api/v1/format_query", Cost::Work, prometheus_handler(services, format_query)},
            {"GET,POST", "/api/v1/parse_query", Cost::Work, prometheus_handler(services, parse_query)}};
}

}  // namespace stoker::api
