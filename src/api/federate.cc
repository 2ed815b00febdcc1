// /federate: the current sample of every series that is asked for, as text or protobuf that a Prometheus scrapes.
#include <algorithm>
#include <tuple>

#include "api/federate_text.h"
#include "api/prometheus.h"
#include "api/prometheus_params.h"
#include "wire/prometheus_protobuf_encoder.h"

namespace stoker::api {
namespace {

// The newest sample, unless it ends the series.
Result<bool> current(const tsdb::Series& series, FederatedSample& out) {
    const auto samples = series.samples();
    bool found = false;
    for (auto block = samples->next_block(); !block.samples.empty(); block = samples->next_block()) {
        found = true;
        out.sample = block.samples.back();
        out.histogram = block.histograms.empty() ? nullptr : block.histograms.back();
    }
    TRY_UNIT(samples->status());
    if (!found || tsdb::is_stale(out.sample.value)) return false;
    return !out.histogram || !out.histogram->stale();
}

tsdb::Labels with(const tsdb::Labels& external, const tsdb::Labels& own) {
    std::vector<tsdb::Labels::Pair> pairs(external.begin(), external.end());
    pairs.insert(pairs.end(), own.begin(), own.end());  // Of one name the last wins.
    return tsdb::Labels(std::move(pairs));
}

Result<std::vector<FederatedSample>> gather(const PrometheusServices& services, const ApiRequest& request) {
    const std::int64_t now = to_millis(services.now());
    const std::int64_t since = now - services.engine.options().lookback.count() + 1;
    std::vector<FederatedSample> all;
    for (const std::string& selector : prometheus_params(request, "match[]")) {
        TRY(const auto matchers, promql::parse_selector(selector));
        TRY(const auto found, services.store.select(matchers, since, now, 0));
        for (const auto& series : found) {
            if (request.cancelled != nullptr && *request.cancelled)
                return Error{Errc::Cancelled, "the client has left"};
            FederatedSample one{series->labels(), {}, nullptr};
            TRY(const bool there, current(*series, one));
            if (!there) continue;
            if (!services.external_labels.empty()) one.labels = with(services.external_labels, one.labels);
            all.push_back(std::move(one));
        }
    }
    const auto key = [](const FederatedSample& one) { return std::tie(one.labels); };
    std::sort(all.begin(), all.end(), [&](const auto& a, const auto& b) {
        const auto order = a.labels.metric().compare(b.labels.metric());
        return order != 0 ? order < 0 : key(a) < key(b);
    });
    all.erase(std::unique(all.begin(), all.end(), [&](const auto& a, const auto& b) { return key(a) == key(b); }),
              all.end());
    return all;
}

net::Response federate(const PrometheusServices& services, const ApiRequest& request) {
    const bool utf8 = request.accept.find("escaping=allow-utf-8") != std::string::npos;
    const auto samples = gather(services, request);
    if (!samples) {
        const bool bad = samples.error().code == Errc::InvalidArgument;
        return text_response(samples.error().message + "\n", bad ? 400 : net::status_of(samples.error().code));
    }
    const NameEscaping escaping = utf8 ? NameEscaping::None : NameEscaping::Underscores;
    const bool protobuf = wire::prefers_protobuf(request.accept);
    auto response =
        text_response(protobuf ? federated_protobuf(*samples, escaping) : federated_text(*samples, escaping));
    std::string type(protobuf ? wire::kProtobufContentType : "text/plain; version=0.0.4; charset=utf-8");
    if (!request.accept.empty()) type += utf8 ? "; escaping=allow-utf-8" : "; escaping=underscores";
    response.headers.set("Content-Type", std::move(type));
    return response;
}

}  // namespace

std::vector<Route> federate_routes(PrometheusServices& services) {
    return {{"GET", "/federate", Cost::Query,
             [&services](const ApiRequest& request) { return federate(services, request); }}};
}

}  // namespace stoker::api
