#include "outward/otlp_export.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "collect/push/remote_write_convert.h"
#include "collect/send/remote_write_sender_record.h"
#include "outward/otlp_samples.h"
#include "wire/compression.h"
#include "wire/otlp_encode.h"

namespace stoker::outward {
namespace {

constexpr const char* kConsumer = "otlp";
constexpr std::size_t kRecords = 200;     // Read in one go,
constexpr std::size_t kSamples = 10'000;  // and sent in one request, at least the first record's.
constexpr std::size_t kMaxLabels = 512;
constexpr Duration kFirstPause{500};
constexpr Duration kLongestPause{60'000};

metrics::Counter& counter(metrics::Registry& registry, const std::string& name, const char* result) {
    return registry
        .counter("stoker_otlp_export_samples_total",
                 "Samples for a receiver of OTLP metrics: sent, rejected (by the receiver), skipped (OTLP has no place "
                 "for them), lost (batches that the queue on disk did not take or keep).",
                 {"export", "result"})
        .with({name, result});
}

}  // namespace

OtlpExport::OtlpExport(OtlpExportOptions options, std::unique_ptr<SampleQueue> queue, Post post,
                       metrics::Registry& registry)
    : options_(std::move(options)),
      queue_(std::move(queue)),
      journal_(queue_->journal()),
      post_(std::move(post)),
      sent_(counter(registry, options_.name, "sent")),
      rejected_(counter(registry, options_.name, "rejected")),
      skipped_(counter(registry, options_.name, "skipped")),
      lost_(counter(registry, options_.name, "lost")),
      failures_(registry
                    .counter("stoker_otlp_export_failures_total",
                             "Requests to a receiver of OTLP metrics that failed and were tried again.", {"export"})
                    .with({options_.name})),
      queue_bytes_(registry
                       .gauge("stoker_otlp_export_queue_bytes",
                              "Bytes on disk of what a receiver of OTLP metrics has not taken yet.", {"export"})
                       .with({options_.name})) {}

Result<std::unique_ptr<OtlpExport>> OtlpExport::open(OtlpExportOptions options, const std::string& directory, Post post,
                                                     metrics::Registry& registry) {
    auto queue = SampleQueue::open(directory, options.max_queue_bytes, counter(registry, options.name, "lost"));
    if (!queue) return std::move(queue).error().context("queue of OTLP export " + options.name);
    return std::unique_ptr<OtlpExport>(
        new OtlpExport(std::move(options), *std::move(queue), std::move(post), registry));
}

Result<OtlpExport::Batch> OtlpExport::read(std::uint64_t from) {
    Batch batch;
    batch.next = from;
    TRY(const auto records, journal_.read(from, kRecords));
    if (records.empty()) return batch;
    collect::FamilyBook families;
    for (auto& family : options_.families()) families.emplace(std::move(family.family), std::move(family.metadata));
    wire::otlp::Attributes resource(options_.resource.begin(), options_.resource.end());
    OtlpSamples samples(families, std::move(resource), options_.version);
    for (const auto& record : records) {
        if (batch.samples >= kSamples) break;
        batch.next = record.sequence + 1;
        const auto decoded = collect::decode_record(record.sequence, record.payload);
        if (!decoded) {
            ++batch.unreadable;
            continue;
        }
        const wire::WriteRequest& request = (*decoded)->request;
        for (std::size_t i = 0; i < request.series_count(); ++i) {
            const auto& series = request.series[i];
            const auto& next = request.series[i + 1];
            const auto labels = collect::to_labels(request.label_bytes(series), kMaxLabels);
            if (!labels) {
                batch.skipped += next.first_sample - series.first_sample;
                continue;
            }
            for (std::uint32_t s = series.first_sample; s < next.first_sample; ++s) {
                const auto& sample = request.samples[s];
                samples.add(*labels, sample.time, sample.value, sample.start_time);
                ++batch.samples;
            }
            for (std::uint32_t h = series.first_histogram; h < next.first_histogram; ++h) {
                const bool added = samples.add(*labels, request.histograms[h]);
                ++(added ? batch.samples : batch.skipped);
            }
        }
    }
    if (batch.samples > 0) batch.body = wire::gzip_compress(wire::otlp::encode_metrics(samples.take()), 3);
    return batch;
}

bool OtlpExport::deliver(const Batch& batch, SteadyTime steady) {
    WebhookRequest request;
    for (const auto& [name, value] : options_.headers) request.headers.set(name, value);
    request.headers.set("Content-Encoding", "gzip");
    request.headers.set("User-Agent", "stoker");
    request.content_type = "application/x-protobuf";
    request.body = batch.body;
    const auto answer = post_(options_.endpoint, request);
    auto verdict = judge_delivery(answer);
    // OTLP/HTTP: 500 and 408 are final, unlike a webhook's; https://opentelemetry.io/docs/specs/otlp/#failures-1.
    const int status = answer ? answer->status : 0;
    if (status == 500 || status == 408 || status == 425) verdict.delivery = Delivery::Refused;
    if (verdict.delivery == Delivery::TryAgain) {
        failures_.add();
        if (pause_ == Duration{0}) {
            log::warn("OTLP metrics wait", {{"export", options_.name}, {"error", verdict.error}});
        }
        pause_ = std::clamp(pause_ * 2, kFirstPause, kLongestPause);
        not_before_ = steady + std::max(pause_, verdict.retry_after);
        return false;
    }
    pause_ = Duration{0};
    if (verdict.delivery == Delivery::Refused) {
        rejected_.add(static_cast<double>(batch.samples));
        log::error("OTLP metrics refused", {{"export", options_.name}, {"error", verdict.error}});
        return true;
    }
    const auto partial = wire::otlp::parse_partial_success(answer->body);
    const auto rejected = std::min(static_cast<std::size_t>(partial.rejected), batch.samples);
    if (rejected > 0) {
        log::warn("a receiver of OTLP metrics left some out",
                  {{"export", options_.name}, {"points", partial.rejected}, {"says", partial.message}});
    }
    rejected_.add(static_cast<double>(rejected));
    sent_.add(static_cast<double>(batch.samples - rejected));
    return true;
}

void OtlpExport::commit(std::uint64_t next) {
    const auto kept = journal_.commit(kConsumer, next);
    if (!kept) log::warn("the place of an OTLP export is not kept", {{"error", kept.error().message}});
}

void OtlpExport::send(SteadyTime steady, const std::function<bool()>& stopping) {
    lost_.add(static_cast<double>(queue_->sweep(kConsumer, steady)));
    queue_bytes_.set(static_cast<double>(journal_.bytes()));
    if (steady < not_before_) return;
    while (!stopping()) {
        const std::uint64_t from = journal_.cursor(kConsumer);
        const auto batch = read(from);
        if (!batch) return log::warn("OTLP metrics can't be read", {{"error", batch.error().message}});
        if (batch->next == from) return;
        if (batch->samples > 0 && !deliver(*batch, steady)) return;
        skipped_.add(static_cast<double>(batch->skipped));
        lost_.add(static_cast<double>(batch->unreadable));
        commit(batch->next);
    }
}

}  // namespace stoker::outward
