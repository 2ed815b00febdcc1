#include "collect/push/otlp_receiver.h"

#include <algorithm>
#include <protozero/pbf_writer.hpp>
#include <set>

#include "base/text.h"

namespace stoker::collect {
namespace {

// google.rpc.Code.
int rpc_code(int status) {
    switch (status) {
        case 400:
        case 415:
            return 3;  // INVALID_ARGUMENT
        case 413:
            return 8;  // RESOURCE_EXHAUSTED
        case 503:
            return 14;  // UNAVAILABLE
        default:
            return 13;  // INTERNAL
    }
}

}  // namespace

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
    const std::string_view type = request.headers.get("content-type").value_or("");
    const std::string media(trim(type.substr(0, type.find(';'))));
    const bool json = equals_ignore_case(media, "application/json");
    const auto answer = [json](int status, std::string body) {
        net::Response response{status, {{"Content-Type", json ? "application/json" : "application/x-protobuf"}}, {}};
        if (status == 503) response.headers.add("Retry-After", "5");
        response.body = std::move(body);
        return response;
    };
    const auto failed = [&](int status, const std::string& message) {
        if (json) {
            return answer(status, R"({"code":)" + std::to_string(rpc_code(status)) + R"(,"message":)" +
                                      quote_json(message) + "}");
        }
        std::string body;
        protozero::pbf_writer writer(body);
        writer.add_int32(1, rpc_code(status));
        writer.add_string(2, message);
        return answer(status, std::move(body));
    };
    if (!json && !equals_ignore_case(media, "application/x-protobuf")) {
        return failed(415, "Content-Type must be application/x-protobuf or application/json");
    }
    auto body = decoded_body(request, options_.max_body_bytes);
    if (!body) return failed(push_status(body.error()), body.error().message);
    auto parsed =
        json ? wire::otlp::parse_json(*body, options_.decode) : wire::otlp::parse_protobuf(*body, options_.decode);
    if (!parsed) return failed(push_status(parsed.error()), parsed.error().message);
    auto rejected = take(*std::move(parsed), request.now);
    if (!rejected) return failed(net::status_of(rejected.error().code), rejected.error().message);
    if (rejected->points == 0 && rejected->why.empty()) return answer(200, json ? "{}" : "");
    if (json) {
        return answer(200, R"({"partialSuccess":{"rejectedDataPoints":")" + std::to_string(rejected->points) +
                               R"(","errorMessage":)" + quote_json(rejected->why) + "}}");
    }
    std::string partial;
    protozero::pbf_writer writer(partial);
    writer.add_int64(1, static_cast<std::int64_t>(rejected->points));
    writer.add_string(2, rejected->why);
    std::string message;
    protozero::pbf_writer(message).add_message(1, partial);
    return answer(200, std::move(message));
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
