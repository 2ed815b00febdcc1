#include "tsdb/stored_series.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "tsdb/selection.h"

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
    // Starts over with another series.
    void open(const StoredSeries& series, std::int64_t start, std::int64_t end) {
        if (owner_ == nullptr || owner_.get() != &series.owner_) {
            owner_ = series.owner_.shared_from_this();
        }
        series_ = &series;
        start_ = std::max(start, owner_->start());
        end_ = std::min(end, owner_->end());
        from_ = start_;
        disk_ = series.in_order_on_disk_ ? cursor(ChunkFamily::InOrder) : nullptr;
        next_memory_ = 0;
        late_.clear();
        next_late_ = 0;
        status_ = Unit{};
        if (series.late_ != nullptr) {
            read_late(*series.late_);
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
        return std::make_unique<ChunkCursor>(owner_->view(), family, series_->id_, start_, end_);
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

    void read_late(const StoredSeries::Late& late) {
        const auto add = [this](const SampleList& list) { late_ = merge(late_.block(), cut(list, start_, end_)); };
        add(late.list);
        for (const std::string_view chunk : late.chunks) {
            read(chunk);
            add(list_);
        }
        std::unique_ptr<ChunkCursor> disk = late.on_disk ? cursor(ChunkFamily::Late) : nullptr;
        for (std::string_view bytes; next_on_disk(disk, bytes);) {
            read(bytes);
            add(list_);
        }
    }

    void read(std::string_view bytes) {
        list_.clear();
        if (auto done = read_chunk(bytes, list_); !done) {
            if (owner_->view() != nullptr) {
                owner_->view()->damage().add("chunks: series " + series_->labels().text(), done.error().message);
            }
            list_.clear();
            status_ = std::move(done).error();
        }
    }

    bool next_bytes(std::string_view& bytes) {
        if (next_on_disk(disk_, bytes)) {
            return true;
        }
        const std::size_t next = next_memory_++;
        if (next < series_->chunks_.size()) {
            bytes = series_->chunks_[next];
            return true;
        }
        bytes = series_->open_;
        return next == series_->chunks_.size() && !bytes.empty();
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

    std::shared_ptr<const Selection> owner_;
    const StoredSeries* series_ = nullptr;
    std::int64_t start_ = 0;
    std::int64_t end_ = 0;
    std::int64_t from_ = 0;  // What comes before was given, or is out of the range.
    std::unique_ptr<ChunkCursor> disk_;
    std::size_t next_memory_ = 0;
    SampleList list_;
    SampleList late_;
    std::size_t next_late_ = 0;
    SampleList merged_;
    Result<Unit> status_ = Unit{};
};

StoredSeries::StoredSeries(const MemSeries& series, Selection& owner)
    : owner_(owner),
      id_(series.id),
      first_time_(series.first_time),
      last_time_(series.last_time()),
      refs_(owner.keep(series.labels())) {
    for (const SealedChunk& chunk : series.sealed) {
        if (in_range(chunk.min_time, chunk.max_time)) {
            chunks_.push_back(owner.keep(chunk.bytes));
        }
    }
    if (!series.open.empty() && in_range(series.open.min_time(), series.open.max_time())) {
        open_ = series.open.snapshot(owner.room());
    }
    in_order_on_disk_ = series.disk_time != kNever && series.disk_time >= owner.start();
    if (series.extra != nullptr) {
        copy_extra(*series.extra);
    }
}

StoredSeries::StoredSeries(ArchivedSeries series, Selection& owner)
    : owner_(owner),
      id_(series.id),
      first_time_(series.first_time),
      last_time_(series.last_time),
      in_order_on_disk_(true) {
    const auto* labels = new Labels(std::move(series.labels));
    labels_.store(labels, std::memory_order_relaxed);
    std::vector<LabelRef> refs;
    for (const auto& [name, value] : *labels) {
        refs.push_back({&name, &value});
    }
    refs_ = owner.keep(refs);
    if (series.late_disk_time != kNever && series.late_disk_time >= owner.start()) {
        late_ = std::make_unique<Late>();
        late_->on_disk = true;
    }
}

bool StoredSeries::in_range(std::int64_t first, std::int64_t last) const {
    return first <= owner_.end() && last >= owner_.start();
}

void StoredSeries::copy_extra(const SeriesExtra& extra) {
    const OpenHistograms& open = extra.histograms;
    if (!open.empty() && in_range(open.min_time(), open.max_time())) {
        chunks_.push_back(owner_.keep(open.snapshot()));
    }
    auto late = std::make_unique<Late>();
    for (const SealedChunk& chunk : extra.late_sealed) {
        if (in_range(chunk.min_time, chunk.max_time)) {
            late->chunks.push_back(owner_.keep(chunk.bytes));
        }
    }
    const SampleBlock list = cut(extra.late, owner_.start(), owner_.end());
    late->list.samples.assign(list.samples.begin(), list.samples.end());
    late->list.histograms.assign(list.histograms.begin(), list.histograms.end());
    late->on_disk = extra.late_disk_time != kNever && extra.late_disk_time >= owner_.start();
    if (late->on_disk || !late->chunks.empty() || !late->list.empty()) {
        late_ = std::move(late);
    }
}

const Labels& StoredSeries::labels() const {
    const Labels* made = labels_.load(std::memory_order_acquire);
    if (made == nullptr) {
        auto mine = std::make_unique<const Labels>(to_labels(refs_));
        if (labels_.compare_exchange_strong(made, mine.get(), std::memory_order_acq_rel)) {
            made = mine.release();
        }
    }
    return *made;
}

std::string_view StoredSeries::metric() const {
    for (const LabelRef& ref : refs_) {
        if (*ref.name == kMetricName) {
            return *ref.value;
        }
    }
    return {};
}

void StoredSeries::load(std::unique_ptr<rocksdb::Iterator>& iterator, std::size_t& budget) {
    const auto& view = owner_.view();
    if (iterator == nullptr) {
        iterator = view->chunks(ChunkFamily::InOrder);
    }
    ChunkCursor cursor(view, std::move(iterator), ChunkFamily::InOrder, id_, owner_.start(), owner_.end());
    std::vector<std::string_view> loaded;
    std::size_t bytes = 0;
    std::string_view chunk;
    Result<bool> more = cursor.next(chunk);
    for (; more && *more && bytes + chunk.size() <= budget; more = cursor.next(chunk)) {
        bytes += chunk.size();
        loaded.push_back(owner_.keep(chunk));
    }
    iterator = cursor.give_back();
    if (more && !*more) {
        budget -= bytes;
        chunks_.insert(chunks_.begin(), loaded.begin(), loaded.end());
        in_order_on_disk_ = false;
    }
}

std::unique_ptr<SampleIterator> StoredSeries::walk(std::unique_ptr<SampleIterator> over) const {
    return walk(std::move(over), owner_.start(), owner_.end());
}

std::unique_ptr<SampleIterator> StoredSeries::samples_between(std::int64_t start, std::int64_t end) const {
    return walk(nullptr, start, end);
}

std::unique_ptr<SampleIterator> StoredSeries::walk(std::unique_ptr<SampleIterator> over, std::int64_t start,
                                                   std::int64_t end) const {
    auto* walk = dynamic_cast<StoredIterator*>(over.get());  // Not what without() made.
    if (walk == nullptr) {
        auto made = std::make_unique<StoredIterator>();
        walk = made.get();
        over = std::move(made);
    }
    walk->open(*this, start, end);
    return hidden_ == nullptr ? std::move(over) : without(std::move(over), hidden_);
}

}  // namespace stoker::tsdb
