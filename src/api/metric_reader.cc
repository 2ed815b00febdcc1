#include "api/metric_reader.h"

#include <cmath>

#include "base/log.h"

namespace stoker::api {
namespace {

promql::Vector evaluate(const promql::Engine& engine, const tsdb::Querier& querier, const std::string& query,
                        Timestamp at) {
    auto value = engine.instant(querier, query, at);
    if (!value) {
        log::warn("page query failed", {{"query", query}, {"error", value.error().message}});
        return {};
    }
    if (auto* vector = std::get_if<promql::Vector>(&value->data)) return std::move(*vector);
    if (auto* scalar = std::get_if<promql::Scalar>(&value->data)) return {{tsdb::Labels{}, scalar->sample}};
    return {};
}

}  // namespace

std::optional<double> MetricReader::one(const std::string& query) const {
    auto vector = evaluate(engine_, querier_, query, at_);
    if (vector.size() != 1 || !std::isfinite(vector.front().sample.value)) return std::nullopt;
    return vector.front().sample.value;
}

std::map<std::string, double> MetricReader::by(const std::string& label, const std::string& query) const {
    std::map<std::string, double> values;
    for (const auto& [labels, sample, histogram] : evaluate(engine_, querier_, query, at_)) {
        if (histogram) continue;
        auto key = labels.get(label);
        if (!key.empty() && std::isfinite(sample.value)) values[std::string(key)] = sample.value;
    }
    return values;
}

}  // namespace stoker::api
