#include "agent/watched_source.h"

#include <algorithm>
#include <limits>

#include "base/log.h"
#include "collect/push/remote_write_convert.h"
#include "collect/send/remote_write_sender_record.h"
#include "tsdb/querier.h"

namespace stoker::agent {
namespace {

// What a source gives in one round; the descriptions of metrics go through.
class Round final : public collect::SampleSink {
public:
    explicit Round(collect::SampleSink& sink) : sink_(sink) {}

    void append(const std::vector<tsdb::SeriesSample>& samples) override {
        samples_.insert(samples_.end(), samples.begin(), samples.end());
    }
    void append_exemplars(const std::vector<tsdb::SeriesExemplars>& exemplars) override {
        sink_.append_exemplars(exemplars);
    }
    void set_metadata(const std::vector<tsdb::FamilyMetadata>& metadata) override { sink_.set_metadata(metadata); }

    const std::vector<tsdb::SeriesSample>& samples() const { return samples_; }

private:
    collect::SampleSink& sink_;
    std::vector<tsdb::SeriesSample> samples_;
};

// The end of a series is said once, and histograms are not held back.
bool must_be_kept(const std::vector<tsdb::SeriesSample>& samples) {
    return std::any_of(samples.begin(), samples.end(), [](const tsdb::SeriesSample& one) {
        return one.histogram != nullptr || tsdb::is_stale(one.sample.value);
    });
}

std::vector<tsdb::SeriesSample> samples_of(const Thinning::Round& round) {
    std::vector<tsdb::SeriesSample> samples;
    const auto record = collect::decode_record(0, round.bytes);
    if (!record) {
        log::error("rounds held back can't be read", {{"error", record.error().message}});
        return samples;
    }
    const wire::WriteRequest& request = (*record)->request;
    for (std::size_t i = 0; i < request.series_count(); ++i) {
        const auto& series = request.series[i];
        const auto labels = collect::to_labels(request.label_bytes(series), std::numeric_limits<std::size_t>::max());
        if (!labels) continue;
        for (auto s = series.first_sample; s < request.series[i + 1].first_sample; ++s) {
            const auto& one = request.samples[s];
            samples.push_back({*labels, {one.time, one.value}, nullptr, one.start_time});
        }
    }
    return samples;
}

}  // namespace

Result<Unit> WatchedSource::collect(Timestamp now, collect::SampleSink& sink) {
    Round round(sink);
    auto done = source_->collect(now, round);
    rules_->append(round.samples());
    keep(round.samples(), sink);
    return done;
}

void WatchedSource::keep(const std::vector<tsdb::SeriesSample>& samples, collect::SampleSink& sink) {
    if (!resolution_) return sink.append(samples);
    if (samples.empty()) return;
    const SteadyTime now = std::chrono::steady_clock::now();
    const auto kept = thinning_.offer(resolution_->fine(now) || must_be_kept(samples), now, [&samples] {
        return Thinning::Round{collect::encode_record(samples), samples.size()};
    });
    for (const auto& one : kept.before) sink.append(samples_of(one));
    if (kept.this_one) sink.append(samples);
    resolution_->count_left_out(kept.left_out);
}

}  // namespace stoker::agent
