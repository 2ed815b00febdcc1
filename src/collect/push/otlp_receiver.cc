#include "collect/push/otlp_receiver.h"

#include <set>

#include "base/text.h"
#include "collect/push/otlp_answer.h"

namespace stoker::collect {
OtlpReceiver::OtlpReceiver(tsdb::Ingest& store, OtlpOptions options, metrics::Registry& registry,
                           const tsdb::Querier* history)
    : store_(store),
      options_(std::move(options)),
      metrics_(registry, "otlp"),
      metadata_(store),
      delta_series_(
          registry.gauge("stoker_otlp_delta_series", "Series with delta temporality that are being added up.").with()),
      deltas_(options_.deltas, history) {}

net::Response OtlpReceiver::receive(const PushRequest& request) {
    return metrics_.answered(handle(request));
}

net::Response OtlpReceiver::handle(const PushRequest& request) {
    const OtlpAnswer answer(request);
    if (!answer.known()) return answer.unknown_type();
    auto body = decoded_body(request, options_.max_body_bytes);
    if (!body) return answer.failed(push_status(body.error()), body.error().message);
    auto parsed = answer.json() ? wire::otlp::parse_json(*body, options_.decode)
                                : wire::otlp::parse_protobuf(*body, options_.decode);
    if (!parsed) return answer.failed(push_status(parsed.error()), parsed.error().message);
    auto rejected = take(*std::move(parsed), request.now);
    if (!rejected) return answer.failed(net::status_of(rejected.error().code), rejected.error().message);
    return answer.taken("rejectedDataPoints", rejected->points, rejected->why);
}

Result<OtlpReceiver::Rejected> OtlpReceiver::take(wire::otlp::MetricsRequest request, Timestamp now) {
    if (!has_deltas(request)) {
        OtlpDeltas none({.max_series = 0});
        return store(convert_otlp(std::move(request), options_, none));
    }
    // Held while the store writes: the next request must not build on sums that may yet have to be taken back.
    MutexLock lock(mutex_);
    auto stored = store(convert_otlp(std::move(request), options_, deltas_));
    if (stored) {
        deltas_.commit(now);
    } else {
        deltas_.abandon();
    }
    delta_series_.set(static_cast<double>(deltas_.size()));
    return stored;
}

Result<OtlpReceiver::Rejected> OtlpReceiver::store(OtlpBatch batch) {
    TRY(const tsdb::AppendOutcome outcome, store_.append(batch.samples));
    std::set<std::uint32_t> bad(batch.refused.begin(), batch.refused.end());
    for (const tsdb::Refused& refused : outcome.refused) {
        const std::uint32_t point = batch.point_of.at(refused.index);
        if (point == OtlpBatch::kNoPoint) continue;  // target_info: ours, not the sender's.
        bad.insert(point);
        batch.explain(explain(refused, batch.samples[refused.index].labels));
    }
    metrics_.samples(outcome.accepted + outcome.duplicates, outcome.refused.size() + batch.refused.size());
    metadata_.set(std::move(batch.metadata));
    // Exemplars are a help, not the data: without them the request is still a success.
    if (!batch.exemplars.empty()) (void)store_.append_exemplars(batch.exemplars);
    return Rejected{bad.size(), join(batch.reasons, "; ")};
}

}  // namespace stoker::collect
