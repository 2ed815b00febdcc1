#include "outward/otlp_sender.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "wire/compression.h"
#include "wire/otlp_encode.h"

namespace stoker::outward {
namespace {

constexpr std::size_t kRecords = 200;  // Read in one go.
constexpr int kCompression = 3;
constexpr Duration kFirstPause{500};
constexpr Duration kLongestPause{60'000};

}  // namespace

metrics::Counter& otlp_export_counter(metrics::Registry& registry, const OtlpSenderOptions& options,
                                      const char* result) {
    return registry
        .counter("stoker_otlp_export_" + options.what + "_total",
                 "For a receiver of OTLP: sent, rejected (by the receiver), skipped (OTLP has no place for them), lost "
                 "(batches that the disk did not take or keep).",
                 {"export", "result"})
        .with({options.name, result});
}

OtlpSender::OtlpSender(OtlpSenderOptions options, journal::Journal& journal, Make make, Post post,
                       metrics::Registry& registry)
    : options_(std::move(options)),
      journal_(journal),
      make_(std::move(make)),
      post_(std::move(post)),
      sent_(otlp_export_counter(registry, options_, "sent")),
      rejected_(otlp_export_counter(registry, options_, "rejected")),
      skipped_(otlp_export_counter(registry, options_, "skipped")),
      lost_(otlp_export_counter(registry, options_, "lost")),
      failures_(registry
                    .counter("stoker_otlp_export_failures_total",
                             "Requests to a receiver of OTLP that failed and were tried again.", {"export", "what"})
                    .with({options_.name, options_.what})),
      waiting_(registry
                   .gauge("stoker_otlp_export_waiting_batches",
                          "Batches on disk that a receiver of OTLP has not taken yet.", {"export", "what"})
                   .with({options_.name, options_.what})) {}

bool OtlpSender::deliver(const OtlpBatch& batch, SteadyTime steady) {
    WebhookRequest request;
    for (const auto& [name, value] : options_.headers) request.headers.set(name, value);
    request.headers.set("Content-Encoding", "gzip");
    request.headers.set("User-Agent", "stoker");
    request.content_type = "application/x-protobuf";
    request.body = wire::gzip_compress(batch.body, kCompression);
    const auto answer = post_(options_.endpoint, request);
    auto verdict = judge_delivery(answer);
    // OTLP/HTTP: 500 and 408 are final, unlike a webhook's; https://opentelemetry.io/docs/specs/otlp/#failures-1.
    const int status = answer ? answer->status : 0;
    if (status == 500 || status == 408 || status == 425) verdict.delivery = Delivery::Refused;
    if (verdict.delivery == Delivery::TryAgain) {
        failures_.add();
        if (pause_ == Duration{0}) {
            log::warn("an OTLP export waits",
                      {{"export", options_.name}, {"what", options_.what}, {"error", verdict.error}});
        }
        pause_ = std::clamp(pause_ * 2, kFirstPause, kLongestPause);
        not_before_ = steady + std::max(pause_, verdict.retry_after);
        return false;
    }
    pause_ = Duration{0};
    if (verdict.delivery == Delivery::Refused) {
        rejected_.add(static_cast<double>(batch.items));
        log::error("a receiver of OTLP refused a batch",
                   {{"export", options_.name}, {"what", options_.what}, {"error", verdict.error}});
        return true;
    }
    const auto partial = wire::otlp::parse_partial_success(answer->body);
    const auto rejected = std::min(static_cast<std::size_t>(partial.rejected), batch.items);
    if (rejected > 0) {
        log::warn("a receiver of OTLP left some out", {{"export", options_.name},
                                                       {"what", options_.what},
                                                       {"rejected", partial.rejected},
                                                       {"says", partial.message}});
    }
    rejected_.add(static_cast<double>(rejected));
    sent_.add(static_cast<double>(batch.items - rejected));
    return true;
}

void OtlpSender::commit(std::uint64_t next) {
    expected_ = next;
    const auto kept = journal_.commit(options_.reader, next);
    if (!kept) log::warn("the place of an OTLP export is not kept", {{"error", kept.error().message}});
}

void OtlpSender::send(SteadyTime steady, const std::function<bool()>& stopping) {
    const std::uint64_t place = journal_.cursor(options_.reader);
    if (expected_ != 0 && place > expected_) lost_.add(static_cast<double>(place - expected_));
    expected_ = place;
    waiting_.set(static_cast<double>(journal_.next_sequence() - place));
    if (steady < not_before_) return;
    while (!stopping()) {
        const auto records = journal_.read(journal_.cursor(options_.reader), kRecords);
        if (!records) return log::warn("an OTLP export can't be read", {{"error", records.error().message}});
        if (records->empty()) break;
        const OtlpBatch batch = make_(*records);
        if (!batch.body.empty() && !deliver(batch, steady)) return;
        skipped_.add(static_cast<double>(batch.skipped));
        lost_.add(static_cast<double>(batch.unreadable));
        commit((*records)[batch.records - 1].sequence + 1);
    }
    waiting_.set(static_cast<double>(journal_.next_sequence() - expected_));
}

}  // namespace stoker::outward
