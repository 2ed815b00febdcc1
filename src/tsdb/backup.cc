#include "tsdb/backup.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <memory>

#include "tsdb/disk.h"
#include "tsdb/entries.h"
#include "tsdb/rollup.h"
#include "tsdb/wal.h"

namespace stoker::tsdb {

namespace {

std::uint64_t bytes_in(const std::filesystem::path& directory) {
    std::uint64_t bytes = 0;
    std::error_code failed;
    for (std::filesystem::recursive_directory_iterator it(directory, failed), end; !failed && it != end;
         it.increment(failed)) {
        std::error_code ignored;
        bytes += it->is_regular_file(ignored) ? it->file_size(ignored) : 0;
    }
    return bytes;
}

Result<Unit> read_disk(const Disk& disk, DamageLog& damage, Verification& found) {
    const auto on_damage = [&](const std::string& where, const std::string& what) { damage.add(where, what); };
    const auto on_series = [&](SeriesId, const Labels&) -> Result<Unit> {
        ++found.series;
        return Unit{};
    };
    TRY_UNIT(disk.each_series(on_series, on_damage));
    TRY_UNIT(disk.each_head([](SeriesId, const HeadRecord&) -> Result<Unit> { return Unit{}; }, on_damage));
    std::int64_t oldest = std::numeric_limits<std::int64_t>::max();
    std::int64_t newest = std::numeric_limits<std::int64_t>::min();
    const auto on_chunk = [&](SeriesId, std::string_view sealed) -> Result<Unit> {
        SampleList list;
        TRY_UNIT(read_chunk(sealed, list));
        ++found.chunks;
        found.samples += list.size();
        oldest = std::min(oldest, list.samples.front().time);
        newest = std::max(newest, list.samples.back().time);
        return Unit{};
    };
    TRY_UNIT(disk.each_chunk(ChunkFamily::InOrder, on_chunk, on_damage));
    TRY_UNIT(disk.each_chunk(ChunkFamily::Late, on_chunk, on_damage));
    if (found.samples > 0) {
        found.oldest_time = oldest;
        found.newest_time = newest;
    }
    const auto on_rollups = [](RollupLevel level, std::string_view rollups) -> Result<Unit> {
        if (!rollups.empty()) {
            TRY_UNIT(decode_rollups(rollups, resolution_of(level)));
        }
        return Unit{};
    };
    TRY_UNIT(disk.each_rollups(on_rollups, on_damage));
    const auto nothing = [](std::string_view, std::string_view) -> Result<Unit> { return Unit{}; };
    for (const MetaKind kind : {MetaKind::Metadata, MetaKind::Exemplar, MetaKind::Tombstones, MetaKind::State}) {
        TRY_UNIT(disk.each_meta(kind, nothing, on_damage));
    }
    return Unit{};
}

Result<Unit> read_log(const std::filesystem::path& directory, DamageLog& damage, Verification& found) {
    EntryVisitor visitor;
    visitor.on_series = [](SeriesId, const Labels&) {};
    visitor.on_sample = [&](SeriesId, Sample, const HistogramPtr&, Arrival) { ++found.log_samples; };
    const auto visit = [&](std::string_view entries) { return read_entries(entries, visitor); };
    TRY(const WalReplay replay, replay_wal(directory, visit, WalMend::No));
    found.log_frames = replay.frames;
    for (const WalReplay::Damage& one : replay.damage) {
        damage.add(one.file.string(), one.what);
    }
    return Unit{};
}

}  // namespace

Result<Verification> verify(const std::string& directory) {
    const std::filesystem::path root(directory);
    std::error_code ignored;
    if (!std::filesystem::is_directory(root / "chunks", ignored) ||
        !std::filesystem::is_directory(root / "wal", ignored)) {
        return Error{Errc::NotFound, "no metrics store in " + directory};
    }
    Verification found;
    const auto damage = std::make_shared<DamageLog>();
    {
        TRY(const auto disk, Disk::open_to_read(root / "chunks", damage));
        TRY_UNIT(read_disk(*disk, *damage, found));
    }
    TRY_UNIT(read_log(root / "wal", *damage, found));
    found.bytes = bytes_in(root);
    found.damage = damage->list();
    return found;
}

}  // namespace stoker::tsdb
