// Queries: series from the index, their memory part copied under the shard's lock, their disk part read when it is
// walked.
#include <algorithm>
#include <chrono>
#include <set>
#include <string>

#include "base/log.h"
#include "tsdb/store_impl.h"

namespace stoker::tsdb {

namespace {

// Chunk after chunk, disk before memory. They are in order of time; where two overlap (a chunk that reached the disk
// between our looks at memory and at disk, or that a replay made again) what was already given is passed over.
class ChunkIterator final : public SampleIterator {
public:
    ChunkIterator(std::unique_ptr<ChunkCursor> disk, const std::vector<std::shared_ptr<const std::string>>& memory,
                  std::int64_t start, std::int64_t end)
        : disk_(std::move(disk)), memory_(memory), start_(start), end_(end) {}

    SampleBlock next_block() override {
        while (load()) {
            const auto earlier = [](const Sample& sample, std::int64_t time) { return sample.time < time; };
            const auto later = [](std::int64_t time, const Sample& sample) { return time < sample.time; };
            const std::int64_t from = given_ ? std::max(start_, last_ + 1) : start_;
            const auto first = std::lower_bound(samples_.begin(), samples_.end(), from, earlier);
            const auto last = std::upper_bound(first, samples_.end(), end_, later);
            if (first != last) {
                given_ = true;
                last_ = std::prev(last)->time;
                return {{first, last}, {}};
            }
        }
        return {};
    }

    Result<Unit> status() const override { return status_; }

private:
    bool load() {
        samples_.clear();
        std::string_view bytes;
        if (!next_bytes(bytes)) {
            return false;
        }
        if (auto read = read_chunk(bytes, samples_); !read) {
            log::error("unreadable metrics chunk left out of a query", {{"error", read.error().message}});
            samples_.clear();
            status_ = std::move(read).error();
        }
        return true;
    }

    bool next_bytes(std::string_view& bytes) {
        if (disk_) {
            const Result<bool> more = disk_->next(bytes);
            if (more && *more) {
                return true;
            }
            if (!more) {
                log::error("metrics query could not read the disk", {{"error", more.error().message}});
                status_ = more.error();
            }
            disk_.reset();
        }
        if (next_memory_ == memory_.size()) {
            return false;
        }
        bytes = *memory_[next_memory_++];
        return true;
    }

    std::unique_ptr<ChunkCursor> disk_;
    const std::vector<std::shared_ptr<const std::string>> memory_;
    const std::int64_t start_;
    const std::int64_t end_;
    std::size_t next_memory_ = 0;
    std::vector<Sample> samples_;
    Result<Unit> status_ = Unit{};
    bool given_ = false;
    std::int64_t last_ = 0;
};

class StoredSeries final : public Series {
public:
    StoredSeries(SeriesId id, Labels labels, std::int64_t start, std::int64_t end)
        : id_(id), labels_(std::move(labels)), start_(start), end_(end) {}

    const Labels& labels() const override { return labels_; }

    std::unique_ptr<SampleIterator> samples() const override {
        std::unique_ptr<ChunkCursor> disk;
        if (view_) {
            disk = std::make_unique<ChunkCursor>(view_, id_, start_, end_);
        }
        return without(std::make_unique<ChunkIterator>(std::move(disk), memory_, start_, end_), hidden_);
    }

    // Takes over what is in memory; says whether the disk may have older samples of the range.
    bool copy_memory(const MemSeries& series) {
        for (const SealedChunk& chunk : series.sealed) {
            if (chunk.min_time <= end_ && chunk.max_time >= start_) {
                memory_.push_back(chunk.bytes);
            }
        }
        if (!series.open.empty() && series.open.min_time() <= end_ && series.open.max_time() >= start_) {
            memory_.push_back(std::make_shared<const std::string>(series.open.snapshot()));
        }
        return series.disk_time != kNever && series.disk_time >= start_;
    }
    void hide(SharedIntervals hidden) { hidden_ = std::move(hidden); }
    void set_view(std::shared_ptr<const Disk::View> view) { view_ = std::move(view); }

private:
    const SeriesId id_;
    const Labels labels_;
    const std::int64_t start_;
    const std::int64_t end_;
    std::vector<std::shared_ptr<const std::string>> memory_;
    std::shared_ptr<const Disk::View> view_;
    SharedIntervals hidden_;
};

}  // namespace

template <typename Visit>
Result<Unit> StoreImpl::each_match(const std::vector<Matcher>& matchers, std::int64_t start, std::int64_t end,
                                   Visit visit) const {
    TRY(const auto compiled, compile_all(matchers));
    for (const SeriesId id : index_.select(compiled)) {
        Shard& shard = *shards_[shard_of_id(id)];
        MutexLock lock(shard.mutex());
        const MemSeries* series = shard.find(id);
        if (series != nullptr && series->has_samples() && series->first_time <= end && series->last_time() >= start &&
            !tombstones_.covers(id, {std::max(start, series->first_time), std::min(end, series->last_time())})) {
            TRY_UNIT(visit(*series));
        }
    }
    return Unit{};
}

Result<std::vector<std::shared_ptr<Series>>> StoreImpl::select(const std::vector<Matcher>& matchers, std::int64_t start,
                                                               std::int64_t end, std::size_t series_limit) const {
    const auto started = std::chrono::steady_clock::now();
    start = std::max(start, cutoff_.load());
    std::vector<std::shared_ptr<StoredSeries>> found;
    std::vector<StoredSeries*> on_disk;
    TRY_UNIT(each_match(matchers, start, end, [&](const MemSeries& series) -> Result<Unit> {
        if (series_limit != 0 && found.size() == series_limit) {
            return Error{Errc::ResourceExhausted,
                         "the selector matches more than " + std::to_string(series_limit) + " series; narrow it"};
        }
        found.push_back(std::make_shared<StoredSeries>(series.id, to_labels(series.labels()), start, end));
        found.back()->hide(tombstones_.of(series.id));
        if (found.back()->copy_memory(series)) {
            on_disk.push_back(found.back().get());
        }
        return Unit{};
    }));
    // After the memory, never before: a chunk on its way to disk is then seen in at least one of the two.
    if (!on_disk.empty()) {
        const auto view = disk_->view();
        for (StoredSeries* series : on_disk) {
            series->set_view(view);
        }
    }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a->labels() < b->labels(); });
    metrics_.select_seconds.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count());
    return std::vector<std::shared_ptr<Series>>(found.begin(), found.end());
}

Result<std::vector<std::string>> StoreImpl::label_names(const std::vector<Matcher>& matchers, std::int64_t start,
                                                        std::int64_t end) const {
    if (matchers.empty()) {
        return index_.names();
    }
    std::set<std::string> names;
    TRY_UNIT(each_match(matchers, start, end, [&](const MemSeries& series) -> Result<Unit> {
        for (const LabelRef& ref : series.labels()) {
            names.insert(*ref.name);
        }
        return Unit{};
    }));
    return std::vector<std::string>(names.begin(), names.end());
}

Result<std::vector<std::string>> StoreImpl::label_values(const std::string& name, const std::vector<Matcher>& matchers,
                                                         std::int64_t start, std::int64_t end) const {
    if (matchers.empty()) {
        return index_.values(name);
    }
    std::set<std::string> values;
    TRY_UNIT(each_match(matchers, start, end, [&](const MemSeries& series) -> Result<Unit> {
        for (const LabelRef& ref : series.labels()) {
            if (*ref.name == name) {
                values.insert(*ref.value);
            }
        }
        return Unit{};
    }));
    return std::vector<std::string>(values.begin(), values.end());
}

}  // namespace stoker::tsdb
