// Deletion: hidden at once and for good, erased from the disk later.
#include <algorithm>

#include "tsdb/bytes.h"
#include "tsdb/records.h"
#include "tsdb/store_impl.h"

namespace stoker::tsdb {

namespace {

std::string tombstone_record(SeriesId id, TimeInterval interval) {
    std::string body;
    put_varint(body, id);
    body += encode_intervals({interval});
    return body;
}

}  // namespace

// The interval ends at the series' newest sample: what comes later is not what the caller wanted gone.
Result<std::size_t> StoreImpl::delete_series(const std::vector<Matcher>& matchers, std::int64_t start,
                                             std::int64_t end) {
    TRY_UNIT(writable());
    std::string log;
    std::size_t touched = 0;
    TRY_UNIT(each_matching(matchers, [&](const MemSeries& series) {
        if (!series.has_samples()) {
            return;
        }
        const TimeInterval interval{std::max(start, series.first_time), std::min(end, series.last_time())};
        if (interval.start > interval.end || tombstones_.covers(series.id, interval)) {
            return;
        }
        tombstones_.add(series.id, interval);
        put_record(log, RecordKind::Tombstone, tombstone_record(series.id, interval));
        ++touched;
    }));
    if (!log.empty()) {
        TRY_UNIT(commit_log(wal_->enqueue(log)));
        metrics_.deleted.add(static_cast<double>(touched));
    }
    return touched;
}

bool StoreImpl::replay_tombstone(std::string_view body, const std::function<SeriesId(SeriesId)>& resolve) {
    ByteReader reader(body);
    const SeriesId id = reader.varint();
    if (!reader.ok()) {
        return false;
    }
    const auto intervals = decode_intervals(reader.rest());
    if (intervals && !intervals->empty()) {
        tombstones_.add_all(resolve(id), *intervals);
    }
    return intervals.has_value();
}

void StoreImpl::save_tombstones(DiskBatch& batch) {
    for (const SeriesId id : tombstones_.take_changed()) {
        const SharedIntervals intervals = tombstones_.of(id);
        if (intervals == nullptr) {
            batch.remove_meta(meta_key(MetaKind::Tombstones, id));
        } else {
            batch.put_meta(meta_key(MetaKind::Tombstones, id), encode_intervals(*intervals));
        }
    }
}

Result<Unit> StoreImpl::load_tombstones() {
    return disk_->each_meta(MetaKind::Tombstones, [this](std::string_view key, std::string_view value) -> Result<Unit> {
        const auto intervals = decode_intervals(value);
        if (intervals && key.size() == sizeof(SeriesId)) {
            tombstones_.add_all(get_ordered(key.data()), *intervals);
        } else {
            note_damage("chunks: tombstones", "they can't be read: deleted samples may show again");
        }
        return Unit{};
    });
}

}  // namespace stoker::tsdb
