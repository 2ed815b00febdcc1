// Walks over what the disk holds, past what can't be read.
#include <map>

#include "tsdb/bytes.h"
#include "tsdb/disk.h"
#include "tsdb/disk_scan.h"

namespace stoker::tsdb {

namespace {

constexpr std::size_t kIdKey = 8;
constexpr std::size_t kChunkKey = 24;

// Entries that can't be decoded are reported as gaps of their own.
ScanVisitor scan(const std::string& family, const DamageVisitor& on_damage,
                 std::function<Result<Unit>(std::string_view, std::string_view)> visit) {
    ScanVisitor visitor;
    visitor.on_entry = [=](std::string_view key, std::string_view value) -> Result<Unit> {
        if (auto done = visit(key, value); !done) {
            if (done.error().code != Errc::Corruption) {
                return done;
            }
            on_damage("chunks: " + family + " " + key_text(key), done.error().message);
        }
        return Unit{};
    };
    visitor.on_gap = [=](std::string_view after, std::string_view before, const std::string& what) {
        on_damage("chunks: " + family + " between " + key_text(after) + " and " + key_text(before), what);
    };
    return visitor;
}

}  // namespace

Result<Unit> Disk::each_series(const std::function<Result<Unit>(SeriesId, Labels)>& visit,
                               const DamageVisitor& on_damage) const {
    const auto decode = [&](std::string_view key, std::string_view value) -> Result<Unit> {
        if (key.size() != kIdKey) {
            return Error{Errc::Corruption, "malformed key"};
        }
        TRY(Labels labels, decode_labels(value));
        return visit(get_ordered(key.data()), std::move(labels));
    };
    return scan_family(*db_, series_, {}, scan("series", on_damage, decode));
}

Result<Unit> Disk::each_head(const std::function<Result<Unit>(SeriesId, HeadRecord)>& visit,
                             const DamageVisitor& on_damage) const {
    const auto decode = [&](std::string_view key, std::string_view value) -> Result<Unit> {
        if (key.size() != kIdKey) {
            return Error{Errc::Corruption, "malformed key"};
        }
        TRY(HeadRecord head, decode_head(value));
        return visit(get_ordered(key.data()), std::move(head));
    };
    return scan_family(*db_, heads_, {}, scan("heads", on_damage, decode));
}

Result<Unit> Disk::each_meta(MetaKind kind,
                             const std::function<Result<Unit>(std::string_view key, std::string_view value)>& visit,
                             const DamageVisitor& on_damage) const {
    const char first = static_cast<char>(kind);
    const auto of_kind = [&](std::string_view key, std::string_view value) -> Result<Unit> {
        if (key.empty() || key[0] != first) {
            return Error{Errc::Cancelled, "past the last of the kind"};
        }
        return visit(key.substr(1), value);
    };
    auto done = scan_family(*db_, meta_, {&first, 1}, scan("meta", on_damage, of_kind));
    return !done && done.error().code == Errc::Cancelled ? Unit{} : done;
}

Result<Unit> Disk::each_chunk(ChunkFamily which,
                              const std::function<Result<Unit>(SeriesId, std::string_view sealed)>& visit,
                              const DamageVisitor& on_damage) const {
    const auto of_family = [&](std::string_view key, std::string_view value) -> Result<Unit> {
        if (key.size() != kChunkKey) {
            return Error{Errc::Corruption, "malformed key"};
        }
        return visit(get_ordered(key.data() + 8), value);
    };
    const std::string name = which == ChunkFamily::Late ? "late chunks" : "chunks";
    return scan_family(*db_, family(which), {}, scan(name, on_damage, of_family));
}

std::vector<std::pair<std::int64_t, std::uint64_t>> Disk::days(std::int64_t start, std::int64_t end) const {
    std::map<std::int64_t, std::uint64_t> sizes;
    const auto add = [&](rocksdb::ColumnFamilyHandle* handle, const std::string& prefix) {
        std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(rocksdb::ReadOptions(), handle));
        std::string from = prefix;
        put_ordered(from, partition_of(start));
        for (it->Seek(from); it->Valid() && it->key().starts_with(prefix);) {
            const std::int64_t day = get_ordered_signed(it->key().data() + prefix.size());
            if (day > partition_of(end)) {
                break;
            }
            std::string first = prefix;
            std::string next = prefix;
            put_ordered(first, day);
            put_ordered(next, day + 1);
            const rocksdb::Range range(first, next);
            std::uint64_t bytes = 0;
            (void)db_->GetApproximateSizes(rocksdb::SizeApproximationOptions(), handle, &range, 1, &bytes);
            sizes[day] += bytes;
            it->Seek(next);
        }
    };
    add(chunks_, "");
    add(late_, "");
    for (const RollupLevel level : kRollupLevels) {
        add(rollups_, std::string(1, static_cast<char>(level)));
    }
    return {sizes.begin(), sizes.end()};
}

// First all that is to be written, then the writing: the iterator sees the chunks as they were.
Result<Unit> Disk::rewrite(SeriesId id, std::int64_t start, std::int64_t end,
                           const std::function<bool(SampleList&)>& edit) {
    const auto view = this->view();
    for (const ChunkFamily family : {ChunkFamily::InOrder, ChunkFamily::Late}) {
        DiskBatch batch(*this);
        ChunkCursor cursor(view, family, id, start, end);
        for (;;) {
            std::string_view sealed;
            const auto more = cursor.next(sealed);
            if (!more && more.error().code == Errc::Corruption) {
                continue;
            }
            TRY(const bool found, more);
            if (!found) {
                break;
            }
            SampleList samples;
            if (!read_chunk(sealed, samples)) {
                continue;
            }
            const std::int64_t first = samples.samples.front().time;
            if (!edit(samples)) {
                continue;
            }
            batch.remove_chunk(family, id, first);
            for (const SealedChunk& chunk : seal_list(samples.block())) {
                batch.put_chunk(family, id, chunk.min_time, *chunk.bytes);
            }
        }
        TRY_UNIT(write(batch));
    }
    return Unit{};
}

}  // namespace stoker::tsdb
