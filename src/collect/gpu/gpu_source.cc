#include "collect/gpu/gpu_source.h"

#include <algorithm>

#include "tsdb/querier.h"

namespace stoker::collect {

void GpuBoard::set(GpuLook look) {
    MutexLock lock(mutex_);
    const auto place = std::lower_bound(looks_.begin(), looks_.end(), look.reader,
                                        [](const GpuLook& a, const std::string& name) { return a.reader < name; });
    if (place != looks_.end() && place->reader == look.reader) {
        *place = std::move(look);
    } else {
        looks_.insert(place, std::move(look));
    }
}

std::vector<GpuLook> GpuBoard::looks() const {
    MutexLock lock(mutex_);
    return looks_;
}

GpuSource::GpuSource(std::unique_ptr<GpuReader> reader, std::shared_ptr<GpuBoard> board, GpuSourceOptions options)
    : reader_(std::move(reader)), board_(std::move(board)), options_(std::move(options)) {}

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
    for (const GpuReading& gpu : look.gpus) {
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
