#include "tsdb/stored_series.h"

#include <algorithm>
#include <limits>

#include "base/log.h"

namespace stoker::tsdb {

namespace {

// The part of a sorted list that lies in [start, end].
SampleBlock cut(const SampleList& list, std::int64_t start, std::int64_t end) {
    const auto earlier = [](const Sample& sample, std::int64_t time) { return sample.time < time; };
    const auto later = [](std::int64_t time, const Sample& sample) { return time < sample.time; };
    const auto& samples = list.samples;
    const auto first = std::lower_bound(samples.begin(), samples.end(), start, earlier);
    const auto last = std::upper_bound(first, samples.end(), end, later);
    const auto offset = static_cast<std::size_t>(first - samples.begin());
    const auto count = static_cast<std::size_t>(last - first);
    const std::span<const HistogramPtr> histograms(list.histograms);
    return {std::span<const Sample>(samples).subspan(offset, count),
            histograms.empty() ? histograms : histograms.subspan(offset, count)};
}

}  // namespace

// Chunk after chunk, disk before memory. They are in order of time; where two overlap (a chunk that reached the disk
// between our looks at memory and at disk, or that a replay made again) what was already given is passed over. Late
// samples are few: all of the range are read first and then merged into the blocks.
class StoredIterator final : public SampleIterator {
public:
    StoredIterator(std::shared_ptr<const StoredSeries> series, std::int64_t start, std::int64_t end)
        : series_(std::move(series)),
          start_(std::max(start, series_->start_)),
          end_(std::min(end, series_->end_)),
          from_(start_) {
        if (series_->in_order_on_disk_) {
            disk_ = cursor(ChunkFamily::InOrder);
        }
        if (series_->has_late()) {
            read_late();
        }
    }

    SampleBlock next_block() override {
        std::string_view bytes;
        while (next_bytes(bytes)) {
            read(bytes);
            const SampleBlock block = cut(list_, from_, end_);
            if (!block.samples.empty()) {
                from_ = block.samples.back().time + 1;
                return next_late_ == late_.size() ? block : with_late(block, from_);
            }
        }
        return with_late({}, std::numeric_limits<std::int64_t>::max());
    }

    Result<Unit> status() const override { return status_; }

private:
    std::unique_ptr<ChunkCursor> cursor(ChunkFamily family) const {
        return std::make_unique<ChunkCursor>(series_->view_, family, series_->id_, start_, end_);
    }

    // The block with the late samples before `end` merged in.
    SampleBlock with_late(SampleBlock block, std::int64_t end) {
        const std::size_t from = next_late_;
        while (next_late_ < late_.size() && late_.samples[next_late_].time < end) {
            ++next_late_;
        }
        if (next_late_ == from) {
            return block;
        }
        const std::size_t count = next_late_ - from;
        const std::span<const HistogramPtr> histograms(late_.histograms);
        merged_ = merge(block, {std::span<const Sample>(late_.samples).subspan(from, count),
                                histograms.empty() ? histograms : histograms.subspan(from, count)});
        return merged_.block();
    }

    void read_late() {
        const auto add = [this](const SampleList& list) { late_ = merge(late_.block(), cut(list, start_, end_)); };
        add(series_->late_);
        for (const auto& chunk : series_->late_chunks_) {
            read(*chunk);
            add(list_);
        }
        std::unique_ptr<ChunkCursor> disk = series_->late_on_disk_ ? cursor(ChunkFamily::Late) : nullptr;
        for (std::string_view bytes; next_on_disk(disk, bytes);) {
            read(bytes);
            add(list_);
        }
    }

    void read(std::string_view bytes) {
        list_.clear();
        if (auto done = read_chunk(bytes, list_); !done) {
            if (series_->view_ != nullptr) {
                series_->view_->damage().add("chunks: series " + series_->labels_.text(), done.error().message);
            }
            list_.clear();
            status_ = std::move(done).error();
        }
    }

    bool next_bytes(std::string_view& bytes) {
        if (next_on_disk(disk_, bytes)) {
            return true;
        }
        if (next_memory_ == series_->chunks_.size()) {
            return false;
        }
        bytes = *series_->chunks_[next_memory_++];
        return true;
    }

    bool next_on_disk(std::unique_ptr<ChunkCursor>& disk, std::string_view& bytes) {
        if (disk == nullptr) {
            return false;
        }
        for (;;) {
            const Result<bool> more = disk->next(bytes);
            if (more && *more) {
                return true;
            }
            if (!more) {
                status_ = more.error();
            }
            if (more || more.error().code != Errc::Corruption) {
                disk.reset();
                return false;
            }
        }
    }

    const std::shared_ptr<const StoredSeries> series_;
    const std::int64_t start_;
    const std::int64_t end_;
    std::int64_t from_;  // What comes before was given, or is out of the range.
    std::unique_ptr<ChunkCursor> disk_;
    std::size_t next_memory_ = 0;
    SampleList list_;
    SampleList late_;
    std::size_t next_late_ = 0;
    SampleList merged_;
    Result<Unit> status_ = Unit{};
};

StoredSeries::StoredSeries(const MemSeries& series, std::int64_t start, std::int64_t end)
    : id_(series.id),
      labels_(to_labels(series.labels())),
      start_(start),
      end_(end),
      first_time_(series.first_time),
      last_time_(series.last_time()) {
    for (const SealedChunk& chunk : series.sealed) {
        if (in_range(chunk.min_time, chunk.max_time)) {
            chunks_.push_back(chunk.bytes);
        }
    }
    if (!series.open.empty() && in_range(series.open.min_time(), series.open.max_time())) {
        chunks_.push_back(std::make_shared<const std::string>(series.open.snapshot()));
    }
    in_order_on_disk_ = series.disk_time != kNever && series.disk_time >= start_;
    if (series.extra != nullptr) {
        copy_extra(*series.extra);
    }
}

StoredSeries::StoredSeries(ArchivedSeries series, std::int64_t start, std::int64_t end)
    : id_(series.id),
      labels_(std::move(series.labels)),
      start_(start),
      end_(end),
      first_time_(series.first_time),
      last_time_(series.last_time),
      in_order_on_disk_(true),
      late_on_disk_(series.late_disk_time != kNever && series.late_disk_time >= start) {}

void StoredSeries::copy_extra(const SeriesExtra& extra) {
    const OpenHistograms& open = extra.histograms;
    if (!open.empty() && in_range(open.min_time(), open.max_time())) {
        chunks_.push_back(std::make_shared<const std::string>(open.snapshot()));
    }
    for (const SealedChunk& chunk : extra.late_sealed) {
        if (in_range(chunk.min_time, chunk.max_time)) {
            late_chunks_.push_back(chunk.bytes);
        }
    }
    const SampleBlock late = cut(extra.late, start_, end_);
    late_.samples.assign(late.samples.begin(), late.samples.end());
    late_.histograms.assign(late.histograms.begin(), late.histograms.end());
    late_on_disk_ = extra.late_disk_time != kNever && extra.late_disk_time >= start_;
}

void StoredSeries::load(std::unique_ptr<rocksdb::Iterator>& iterator, std::size_t& budget) {
    if (iterator == nullptr) {
        iterator = view_->chunks(ChunkFamily::InOrder);
    }
    ChunkCursor cursor(view_, std::move(iterator), ChunkFamily::InOrder, id_, start_, end_);
    std::vector<std::shared_ptr<const std::string>> loaded;
    std::size_t bytes = 0;
    std::string_view chunk;
    Result<bool> more = cursor.next(chunk);
    for (; more && *more && bytes + chunk.size() <= budget; more = cursor.next(chunk)) {
        bytes += chunk.size();
        loaded.push_back(std::make_shared<const std::string>(chunk));
    }
    iterator = cursor.give_back();
    if (more && !*more) {
        budget -= bytes;
        chunks_.insert(chunks_.begin(), loaded.begin(), loaded.end());
        in_order_on_disk_ = false;
    }
}

std::unique_ptr<SampleIterator> StoredSeries::samples() const {
    return samples_between(start_, end_);
}

std::unique_ptr<SampleIterator> StoredSeries::samples_between(std::int64_t start, std::int64_t end) const {
    return without(std::make_unique<StoredIterator>(shared_from_this(), start, end), hidden_);
}

}  // namespace stoker::tsdb
