#include "tsdb/selection.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <new>
#include <utility>

namespace stoker::tsdb {

namespace {

constexpr std::size_t kLoadAtOnce = std::size_t{32} << 20;  // Bytes of chunks that one selection may read ahead.

}  // namespace

Selection::~Selection() {
    for (StoredSeries* series : series_) {
        std::destroy_at(series);
    }
}

template <typename From>
StoredSeries* Selection::make(From&& from) {
    series_.push_back(nullptr);
    void* const place = room_.allocate(sizeof(StoredSeries), alignof(StoredSeries));
    series_.back() = new (place) StoredSeries(std::forward<From>(from), *this);
    return series_.back();
}

StoredSeries* Selection::add(const MemSeries& series) {
    return make(series);
}

StoredSeries* Selection::add(ArchivedSeries series) {
    return make(std::move(series));
}

std::string_view Selection::keep(std::string_view bytes) {
    auto* const copy = static_cast<char*>(room_.allocate(bytes.size(), 1));
    std::memcpy(copy, bytes.data(), bytes.size());
    return {copy, bytes.size()};
}

std::string_view Selection::keep(std::shared_ptr<const std::string> bytes) {
    shared_.push_back(std::move(bytes));
    return *shared_.back();
}

std::span<const LabelRef> Selection::keep(std::span<const LabelRef> refs) {
    auto* const copy = static_cast<LabelRef*>(room_.allocate(refs.size_bytes(), alignof(LabelRef)));
    std::uninitialized_copy(refs.begin(), refs.end(), copy);
    return {copy, refs.size()};
}

// Neighbours by id are neighbours on disk, while callers walk series in the order of their labels: what is not too much
// is read here, block after block, instead of one block for each series.
void Selection::load(std::shared_ptr<const Disk::View> view, bool ahead) {
    view_ = std::move(view);
    if (!ahead) {
        return;
    }
    std::vector<StoredSeries*> waiting;
    std::copy_if(series_.begin(), series_.end(), std::back_inserter(waiting),
                 [](const StoredSeries* series) { return series->in_order_on_disk(); });
    std::sort(waiting.begin(), waiting.end(),
              [](const StoredSeries* a, const StoredSeries* b) { return a->id() < b->id(); });
    std::unique_ptr<rocksdb::Iterator> iterator;
    std::size_t budget = kLoadAtOnce;
    for (StoredSeries* series : waiting) {
        if (budget >= kLoadAtOnce / 64) {
            series->load(iterator, budget);
        }
    }
}

}  // namespace stoker::tsdb
