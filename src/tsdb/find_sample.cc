// Whether a series has a sample at one time, wherever it lies: asked for samples that come late, which must be told
// from ones that come twice.
#include <bit>

#include "tsdb/store_impl.h"

namespace stoker::tsdb {

namespace {

// The sample of that time in a chunk, appended to `found`.
Result<Unit> look_in(std::string_view sealed, std::int64_t time, SampleList& found) {
    SampleList samples;
    TRY_UNIT(read_chunk(sealed, samples));
    if (const std::size_t at = samples.find(time); at < samples.size()) {
        found.push_back(samples.samples[at], samples.histogram(at));
    }
    return Unit{};
}

Result<Unit> look_in(const std::vector<SealedChunk>& chunks, std::int64_t time, SampleList& found) {
    for (const SealedChunk& chunk : chunks) {
        if (found.empty() && chunk.min_time <= time && time <= chunk.max_time) {
            TRY_UNIT(look_in(*chunk.bytes, time, found));
        }
    }
    return Unit{};
}

Result<Unit> look_on_disk(const std::shared_ptr<const Disk::View>& view, ChunkFamily family, SeriesId id,
                          std::int64_t time, SampleList& found) {
    ChunkCursor cursor(view, family, id, time, time);
    std::string_view sealed;
    for (Result<bool> more = true; found.empty();) {
        more = cursor.next(sealed);
        if (!more) {
            return more.error();
        }
        if (!*more) {
            break;
        }
        TRY_UNIT(look_in(sealed, time, found));
    }
    return Unit{};
}

}  // namespace

Result<SampleList> StoreImpl::find_sample(const MemSeries& series, std::int64_t time) const {
    SampleList found;
    if (series.extra != nullptr) {
        const SeriesExtra& extra = *series.extra;
        if (const std::size_t at = extra.late.find(time); at < extra.late.size()) {
            found.push_back(extra.late.samples[at], extra.late.histogram(at));
        }
        TRY_UNIT(look_in(extra.late_sealed, time, found));
        if (found.empty() && !extra.histograms.empty() && time >= extra.histograms.min_time()) {
            TRY_UNIT(look_in(extra.histograms.snapshot(), time, found));
        }
    }
    if (found.empty() && !series.open.empty() && time >= series.open.min_time()) {
        TRY_UNIT(look_in(series.open.snapshot(), time, found));
    }
    TRY_UNIT(look_in(series.sealed, time, found));
    const std::int64_t late_disk_time = series.extra == nullptr ? kNever : series.extra->late_disk_time;
    if (found.empty() && (time <= series.disk_time || time <= late_disk_time)) {
        const auto view = disk_->view();
        if (time <= series.disk_time) {
            TRY_UNIT(look_on_disk(view, ChunkFamily::InOrder, series.id, time, found));
        }
        if (time <= late_disk_time) {
            TRY_UNIT(look_on_disk(view, ChunkFamily::Late, series.id, time, found));
        }
    }
    return found;
}

Result<Verdict> StoreImpl::append_late(Shard& shard, MemSeries& series, Sample sample, const HistogramPtr& histogram) {
    TRY(const SampleList known, find_sample(series, sample.time));
    if (known.empty()) {
        shard.append_late(series, sample, histogram);
        return Verdict::Accepted;
    }
    const HistogramPtr before = known.histogram(0);
    const bool same =
        std::bit_cast<std::uint64_t>(known.samples[0].value) == std::bit_cast<std::uint64_t>(sample.value) &&
        (histogram == nullptr || *histogram == *before);
    return same ? Verdict::Duplicate : Verdict::Conflict;
}

}  // namespace stoker::tsdb
