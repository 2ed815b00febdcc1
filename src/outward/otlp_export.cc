#include "outward/otlp_export.h"

#include <utility>

#include "collect/push/remote_write_convert.h"
#include "collect/send/remote_write_sender_record.h"
#include "outward/otlp_samples.h"
#include "wire/otlp_encode.h"

namespace stoker::outward {
namespace {

constexpr const char* kReader = "otlp";
constexpr std::size_t kSamples = 10'000;  // In one request, at least the first record's.
constexpr std::size_t kMaxLabels = 512;

OtlpSenderOptions sender_options(const OtlpExportOptions& options) {
    return {.name = options.name,
            .what = "samples",
            .endpoint = options.endpoint,
            .headers = options.headers,
            .reader = kReader};
}

}  // namespace

OtlpExport::OtlpExport(OtlpExportOptions options, std::unique_ptr<SampleQueue> queue, OtlpSender::Post post,
                       metrics::Registry& registry)
    : options_(std::move(options)),
      queue_(std::move(queue)),
      queue_bytes_(registry
                       .gauge("stoker_otlp_export_queue_bytes",
                              "Bytes on disk of what a receiver of OTLP metrics has not taken yet.", {"export"})
                       .with({options_.name})),
      sender_(
          sender_options(options_), queue_->journal(),
          [this](std::span<const journal::Record> records) { return make(records); }, std::move(post), registry) {}

Result<std::unique_ptr<OtlpExport>> OtlpExport::open(OtlpExportOptions options, const std::string& directory,
                                                     OtlpSender::Post post, metrics::Registry& registry) {
    auto queue = SampleQueue::open(directory, options.max_queue_bytes,
                                   otlp_export_counter(registry, sender_options(options), "lost"));
    if (!queue) return std::move(queue).error().context("queue of OTLP export " + options.name);
    return std::unique_ptr<OtlpExport>(
        new OtlpExport(std::move(options), *std::move(queue), std::move(post), registry));
}

OtlpBatch OtlpExport::make(std::span<const journal::Record> records) const {
    OtlpBatch batch;
    collect::FamilyBook families;
    for (auto& family : options_.families()) families.emplace(std::move(family.family), std::move(family.metadata));
    wire::otlp::Attributes resource(options_.resource.begin(), options_.resource.end());
    OtlpSamples samples(families, std::move(resource), options_.version);
    for (const auto& record : records) {
        if (batch.items >= kSamples) break;
        ++batch.records;
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
                ++batch.items;
            }
            for (std::uint32_t h = series.first_histogram; h < next.first_histogram; ++h) {
                const bool added = samples.add(*labels, request.histograms[h]);
                ++(added ? batch.items : batch.skipped);
            }
        }
    }
    if (batch.items > 0) batch.body = wire::otlp::encode_metrics(samples.take());
    return batch;
}

void OtlpExport::send(SteadyTime steady, const std::function<bool()>& stopping) {
    queue_bytes_.set(static_cast<double>(queue_->journal().bytes()));
    sender_.send(steady, stopping);
    queue_->sweep(kReader, steady);  // What it drops the sender counts the next time.
}

}  // namespace stoker::outward
