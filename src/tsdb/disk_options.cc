#include "tsdb/disk_options.h"

#include <rocksdb/cache.h>
#include <rocksdb/table.h>

#include <algorithm>
#include <memory>

namespace stoker::tsdb {

namespace {

// What is read one by one, and what is only ever read whole (at a start), so that large blocks cost nothing.
enum class Access : std::uint8_t { Single, Whole };

rocksdb::ColumnFamilyOptions family_options(const StoreOptions& options, std::shared_ptr<rocksdb::Cache> cache,
                                            Access access) {
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = std::move(cache);
    table.cache_index_and_filter_blocks = true;
    table.pin_l0_filter_and_index_blocks_in_cache = true;
    table.block_size = (access == Access::Single ? std::size_t{16} : std::size_t{64}) << 10;
    table.checksum = rocksdb::kXXH3;
    table.format_version = 5;
    rocksdb::ColumnFamilyOptions family;
    family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    family.write_buffer_size = std::max<std::size_t>(options.write_buffer_bytes / 2, std::size_t{1} << 20);
    family.max_write_buffer_number = 3;
    family.arena_block_size = std::size_t{256} << 10;
    family.target_file_size_base = std::uint64_t{32} << 20;
    family.compression = rocksdb::kZSTD;
    family.disable_auto_compactions = access == Access::Whole;  // Until Disk::loaded().
    family.level0_slowdown_writes_trigger = 1 << 20;  // Days don't overlap, and maintain() must never wait for long.
    family.level0_stop_writes_trigger = 1 << 20;
    return family;
}

}  // namespace

rocksdb::DBOptions database_options(const StoreOptions& options) {
    rocksdb::DBOptions db;
    db.create_if_missing = true;
    db.create_missing_column_families = true;
    db.atomic_flush = true;  // The three families are only right together, and there is no log to mend them.
    db.max_background_jobs = 2;
    db.max_open_files = 512;
    db.db_write_buffer_size = options.write_buffer_bytes;
    db.info_log_level = rocksdb::WARN_LEVEL;
    db.keep_log_file_num = 2;
    db.max_log_file_size = std::size_t{1} << 20;
    db.max_manifest_file_size = std::uint64_t{16} << 20;
    db.stats_dump_period_sec = 0;
    db.stats_persist_period_sec = 0;
    return db;
}

std::vector<rocksdb::ColumnFamilyDescriptor> all_families(const StoreOptions& options) {
    const auto cache = rocksdb::NewLRUCache(options.block_cache_bytes, 2);
    const auto packed = family_options(options, cache, Access::Single);
    // Labels of one target repeat each other: a better look at them, once, saves a fifth.
    auto series = family_options(options, cache, Access::Whole);
    series.bottommost_compression = rocksdb::kZSTD;
    series.bottommost_compression_opts.enabled = true;
    series.bottommost_compression_opts.level = 6;
    // Each checkpoint writes the heads anew: only those that a compaction has brought together are worth packing. Most
    // of a head without an open chunk are times that all series share.
    auto heads = family_options(options, cache, Access::Whole);
    heads.compression = rocksdb::kNoCompression;
    heads.bottommost_compression = rocksdb::kZSTD;
    heads.bottommost_compression_opts.enabled = true;
    heads.bottommost_compression_opts.level = 1;
    return {{rocksdb::kDefaultColumnFamilyName, packed},
            {"series", series},
            {"chunks", packed},
            {"heads", heads},
            {"meta", packed},
            {"late", packed},
            {"archive", packed},
            {"rollups", packed}};
}

}  // namespace stoker::tsdb
