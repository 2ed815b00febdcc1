#include "collect/gpu/gpu_source.h"

#include <algorithm>

#include "tsdb/querier.h"

namespace stoker::collect {

GpuSource::GpuSource(std::unique_ptr<GpuReader> reader, std::shared_ptr<GpuBoard> board,
                     std::shared_ptr<const XidBook> book, std::shared_ptr<const XidTable> table,
                     GpuSourceOptions options)
    : reader_(std::move(reader)),
      board_(std::move(board)),
      book_(std::move(book)),
      table_(std::move(table)),
      options_(std::move(options)),
      join_(options_.engines ? options_.engines : [] { return std::vector<EngineEndpoint>{}; }) {}

void GpuSource::think(GpuReading& gpu, const std::vector<XidCount>& xids, Timestamp now) {
    const GpuDoubts doubts = doubts_[gpu.id.uuid].observe(gpu, std::chrono::steady_clock::now());
    gpu.frozen = doubts.frozen;
    gpu.zero_but_busy = doubts.zero_but_busy;
    gpu.findings = judge(gpu, doubts, xids, *table_, now);
    gpu.health = health_score(gpu.findings);
    if (doubts.zero_but_busy) remove_false_zeros(gpu);
}

Result<Unit> GpuSource::collect(Timestamp now, SampleSink& sink) {
    auto gpus = reader_->read();
    GpuLook look{.reader = std::string(reader_->name()), .at = now, .error = {}, .gpus = {}};
    if (!gpus) {
        look.error = gpus.error().message;
        board_->set(std::move(look));
        end_missing(now, {}, sink);
        if (gpus.error().code == Errc::NotFound) return Unit{};
        return std::move(gpus).error();
    }
    look.gpus = *std::move(gpus);
    SampleBatch out(now, {{"instance", options_.host}, {"job", "gpu"}});
    std::string failed;
    join_.join(look.gpus);
    const auto xids = book_->counts();
    for (GpuReading& gpu : look.gpus) {
        think(gpu, xids, now);
        add_samples(gpu, options_.dcgm, options_.host, out);
        const std::string which = "GPU " + std::to_string(gpu.id.index) + ": ";
        if (gpu.lost) failed += (failed.empty() ? "" : "; ") + which + "lost";
        if (!gpu.failed.empty()) failed += (failed.empty() ? "" : "; ") + which + gpu.failed.front();
    }
    board_->set(std::move(look));
    if (!std::exchange(told_metadata_, true)) sink.set_metadata(gpu_metadata());
    sink.append(out.samples());
    end_missing(now, out.samples(), sink);
    if (!failed.empty()) return Error{Errc::Unavailable, failed};
    return Unit{};
}

void GpuSource::end_missing(Timestamp now, const std::vector<tsdb::SeriesSample>& written, SampleSink& sink) {
    std::vector<tsdb::Labels> present;
    present.reserve(written.size());
    for (const auto& sample : written) present.push_back(sample.labels);
    std::sort(present.begin(), present.end());
    std::vector<tsdb::SeriesSample> ended;
    for (const auto& labels : written_) {
        if (std::binary_search(present.begin(), present.end(), labels)) continue;
        ended.push_back({labels, {to_millis(now), tsdb::stale_marker()}});
    }
    if (!ended.empty()) sink.append(ended);
    written_ = std::move(present);
}

}  // namespace stoker::collect
