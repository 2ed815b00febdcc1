#include "app/request_exemplars.h"

#include <algorithm>

#include "base/metrics.h"
#include "base/text.h"
#include "gateway/metrics_names.h"

namespace stoker::app {
namespace {

constexpr Duration kEvery{2'000};

// The upper bound of the bucket that the value falls into, as the exposition writes it.
std::string bucket_of(double value) {
    static const std::vector<double> bounds = metrics::latency_bounds();
    const auto bound = std::lower_bound(bounds.begin(), bounds.end(), value);
    return bound == bounds.end() ? "+Inf" : format_number(*bound);
}

void add_exemplar(const char* name, std::int64_t nanos, const records::RequestRecord& record, bool tenant,
                  std::vector<tsdb::SeriesExemplars>& out) {
    const double seconds = static_cast<double>(nanos) / 1e9;
    std::vector<tsdb::Labels::Pair> labels{{std::string(tsdb::kMetricName), std::string(name) + "_bucket"},
                                           {"pool", record.pool},
                                           {"model", record.model},
                                           {"replica", record.replica},
                                           {"le", bucket_of(seconds)},
                                           {"job", "stoker"},
                                           {"instance", "stoker"}};
    if (tenant) labels.emplace_back("tenant", record.tenant);
    tsdb::Exemplar exemplar;
    exemplar.labels = tsdb::Labels({{"trace_id", record.trace_id}});
    exemplar.value = seconds;
    exemplar.time = record.time_ms + record.duration_ns / 1'000'000;
    out.push_back({tsdb::Labels(std::move(labels)), {exemplar}});
}

}  // namespace

std::vector<tsdb::SeriesExemplars> exemplars_of(const records::RequestRecord& record) {
    std::vector<tsdb::SeriesExemplars> out;
    if (record.replica.empty() || record.trace_id.empty()) return out;
    for (const bool tenant : {false, true}) {
        if (tenant && record.tenant.empty()) continue;
        add_exemplar(gateway::names::kDuration, record.duration_ns, record, tenant, out);
        if (record.stream && record.ttft_ns > 0) {
            add_exemplar(gateway::names::kTimeToFirstToken, record.ttft_ns, record, tenant, out);
        }
    }
    return out;
}

bool RequestExemplars::take(const tsdb::SeriesExemplars& exemplar) {
    const auto taken = store_.append_exemplars({exemplar});
    return !taken || *taken > 0;  // An error is the store's to report; exemplars are a help, not the data.
}

void RequestExemplars::add(const records::RequestRecord& record, Timestamp now) {
    for (auto& exemplar : exemplars_of(record)) {
        if (take(exemplar) || waiting_.size() >= kMostWaiting) continue;
        waiting_.push_back({now, std::move(exemplar)});
    }
}

void RequestExemplars::offer(Timestamp now) {
    if (waiting_.empty() || now - offered_ < kEvery) return;
    offered_ = now;
    std::erase_if(waiting_, [&](const Waiting& one) { return now - one.since > kOfferFor || take(one.exemplar); });
}

}  // namespace stoker::app
