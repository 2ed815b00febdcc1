// Rollups of a store: made of days that are over, made again where samples change, and kept when those are gone.
#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <cmath>
#include <filesystem>
#include <random>

#include "tsdb/backup.h"
#include "tsdb/chunk.h"
#include "tsdb/rollup.h"
#include "tsdb/store_fixture.h"

namespace stoker::tsdb {
namespace {

using testing::at;
using testing::content;
using testing::samples_of;
using testing::TempFolder;
using testing::TestStore;

constexpr std::int64_t kDay = kPartitionMillis;
constexpr std::int64_t kHour = kLongRollup;
constexpr std::int64_t kStart = 20'000 * kDay;

StoreOptions quick(StoreOptions options = {}) {
    options.checkpoint_interval = Duration{1000};
    return options;
}

struct Found {
    std::int64_t reached = 0;
    std::vector<Rollup> rows;
};

Found rollups_of(const Store& store, const std::string& name, std::int64_t resolution, std::int64_t start,
                 std::int64_t end) {
    Found result{start, {}};
    const auto found = store.select_for_rollups({{"__name__", Matcher::Op::Equal, name}}, start, end, 0);
    EXPECT_TRUE(found.has_value());
    if (found && found->size() == 1) {
        result.reached = found->front()->rollups(resolution, start, end, result.rows);
    }
    return result;
}

bool same_bits(double a, double b) {
    return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

// Whether rows up to `reached` are what the samples say.
void expect_true(const Store& store, const std::string& name, std::int64_t resolution, std::int64_t start,
                 std::int64_t reached) {
    const Found found = rollups_of(store, name, resolution, start, reached);
    ASSERT_EQ(found.reached, reached) << "days " << (found.reached - kStart) / 86'400'000.0;
    RollupMaker maker(resolution);
    const auto selected = store.select({{"__name__", Matcher::Op::Equal, name}}, start + 1, reached, 0);
    ASSERT_TRUE(selected.has_value());
    for (const auto& series : *selected) {
        Sample sample;
        for (auto it = series->samples(); it->next(sample);) {
            maker.add(sample);
        }
    }
    auto expected = maker.take();
    std::erase_if(expected, [](const RollupRow& row) { return row.rollup.count == 0; });
    ASSERT_EQ(found.rows.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const Rollup& a = found.rows[i];
        const Rollup& b = expected[i].rollup;
        ASSERT_TRUE(a.start == b.start && a.end == b.end && a.first_time == b.first_time &&
                    a.last_time == b.last_time && a.count == b.count)
            << i << " at " << a.start << " " << b.start << " count " << a.count << " " << b.count;
        ASSERT_TRUE(same_bits(a.first, b.first) && same_bits(a.last, b.last) && same_bits(a.min, b.min) &&
                    same_bits(a.max, b.max))
            << i;
        ASSERT_DOUBLE_EQ(a.sum, b.sum) << i;
        ASSERT_TRUE(std::isnan(a.lost) || a.lost == b.lost) << i;
    }
}

// A counter with a reset now and then, from `from` on to before `to`, a sample a minute: at midnight, too.
void feed(TestStore& store, const std::string& name, std::int64_t from, std::int64_t to) {
    for (std::int64_t time = from; time < to;) {
        std::vector<SeriesSample> batch;
        for (int i = 0; i < 500 && time < to; ++i, time += 60'000) {
            const std::int64_t minute = (time - kStart) / 60'000;
            batch.push_back(at(name, time, static_cast<double>(minute % 997) / 10));
        }
        EXPECT_EQ(store.append(batch).accepted, batch.size());
    }
}

void maintain_until(TestStore& store, std::int64_t now, const std::string& name, std::int64_t start,
                    std::int64_t reached) {
    for (int round = 0; round < 200; ++round) {
        store.maintain(now + round * 2000);
        if (rollups_of(*store, name, kHour, start, reached).reached == reached) {
            return;
        }
    }
    FAIL() << "no rollups";
}

TEST(RollupStore, DaysThatAreOverGetThem) {
    TestStore store(quick());
    feed(store, "m", kStart, kStart + 3 * kDay + 2 * kHour);
    EXPECT_EQ(rollups_of(*store, "m", kHour, kStart, kStart + kDay).reached, kStart);
    const std::int64_t reached = kStart + 3 * kDay - kHour;
    maintain_until(store, kStart + 3 * kDay + 2 * kHour, "m", kStart, reached);
    expect_true(*store, "m", kHour, kStart, reached);
    expect_true(*store, "m", kHour, kStart + 5 * kHour, kStart + kDay + 7 * kHour);
    EXPECT_EQ(rollups_of(*store, "m", kHour, kStart, kStart + 3 * kDay + kHour).reached, reached);
    // Minutes come when the samples are about to go.
    EXPECT_EQ(rollups_of(*store, "m", kShortRollup, kStart, kStart + kDay).reached, kStart);
}

TEST(RollupStore, SamplesThatComeLateAreTakenIn) {
    TestStore store(quick({.out_of_order_window = Duration{2 * kDay}}));
    feed(store, "m", kStart, kStart + 2 * kDay + 3 * kHour);
    const std::int64_t now = kStart + 4 * kDay + kHour;  // A day counts as over when the window is past it.
    const std::int64_t reached = kStart + 2 * kDay - kHour;
    maintain_until(store, now, "m", kStart, reached);
    store.append({at("m", kStart + kDay + 12 * kHour + 30'000, 1e6)});
    EXPECT_EQ(rollups_of(*store, "m", kHour, kStart, reached).reached, kStart + kDay - kHour);
    expect_true(*store, "m", kHour, kStart, kStart + kDay - kHour);
    store.reopen();  // A mark that no checkpoint has seen is made again; the note must be there in any case.
    EXPECT_LE(rollups_of(*store, "m", kHour, kStart, reached).reached, kStart + kDay - kHour);
    maintain_until(store, now, "m", kStart, reached);
    expect_true(*store, "m", kHour, kStart, reached);
    // A new series that writes into days that were made.
    feed(store, "other", kStart + 5 * kHour, kStart + 30 * kHour);
    EXPECT_EQ(rollups_of(*store, "other", kHour, kStart, reached).reached, kStart);
    maintain_until(store, now, "other", kStart, reached);
    expect_true(*store, "other", kHour, kStart, reached);
}

TEST(RollupStore, DeletedSamplesAreLeftOut) {
    TestStore store(quick());
    feed(store, "m", kStart, kStart + 3 * kDay + 2 * kHour);
    const std::int64_t now = kStart + 3 * kDay + 2 * kHour;
    const std::int64_t reached = kStart + 3 * kDay - kHour;
    maintain_until(store, now, "m", kStart, reached);
    ASSERT_TRUE(store->delete_series({{"__name__", Matcher::Op::Equal, "m"}}, kStart + kDay + kHour / 2,
                                     kStart + kDay + 3 * kHour / 2));
    EXPECT_EQ(rollups_of(*store, "m", kHour, kStart, reached).reached, kStart + kDay - kHour);
    ASSERT_TRUE(store->clean_tombstones());
    maintain_until(store, now, "m", kStart, reached);
    expect_true(*store, "m", kHour, kStart, reached);
}

TEST(RollupStore, MarkersAreNoSamplesAndHistogramsStandInTheWay) {
    TestStore store(quick());
    feed(store, "m", kStart, kStart + 6 * kHour);
    store.append({at("m", kStart + 6 * kHour + 1, stale_marker())});
    feed(store, "m", kStart + kDay, kStart + kDay + 6 * kHour);
    auto histogram = std::make_shared<Histogram>();
    histogram->count = 1;
    histogram->sum = 2;
    histogram->zero_count = 1;
    SeriesSample sample = at("m", kStart + kDay + 7 * kHour, 0);
    sample.histogram = histogram;
    ASSERT_EQ(store.append({sample}).accepted, 1U);
    feed(store, "m", kStart + 2 * kDay, kStart + 2 * kDay + kHour);
    maintain_until(store, kStart + 3 * kDay, "m", kStart, kStart + kDay - kHour);
    expect_true(*store, "m", kHour, kStart, kStart + kDay - kHour);
    EXPECT_EQ(rollups_of(*store, "m", kHour, kStart, kStart + 2 * kDay).reached, kStart + kDay - kHour);
}

TEST(RollupStore, QuietSeriesGetThemAndJoinWithWhatComesBack) {
    TestStore store(quick());
    feed(store, "m", kStart, kStart + 6 * kHour);
    feed(store, "stays", kStart, kStart + kDay);
    for (int i = 0; i < 4; ++i) {
        store.maintain(kStart + 12 * kHour + i * 2000);
    }
    ASSERT_EQ(store->stats().series, 1U);  // The other has left memory.
    feed(store, "m", kStart + 12 * kHour, kStart + 13 * kHour + 1);
    feed(store, "m", kStart + kDay, kStart + 2 * kDay + kHour);
    const std::int64_t reached = kStart + 2 * kDay - kHour;
    maintain_until(store, kStart + 2 * kDay + 4 * kHour, "m", kStart, reached);
    expect_true(*store, "m", kHour, kStart, reached);
}

std::map<std::string, std::uintmax_t> files_in(const std::string& folder) {
    std::map<std::string, std::uintmax_t> files;
    std::error_code gone;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, gone)) {
        files[entry.path().string()] = entry.is_regular_file(gone) ? entry.file_size(gone) : 0;
    }
    return files;
}

// Again until RocksDB's background work has changed nothing meanwhile.
bool copy_files(const std::string& from, const std::string& to) {
    for (int attempt = 0; attempt < 1000; ++attempt) {
        std::filesystem::remove_all(to);
        const auto before = files_in(from);
        std::error_code failed;
        std::filesystem::copy(from, to, std::filesystem::copy_options::recursive, failed);
        if (!failed && files_in(from) == before) {
            std::filesystem::remove(to + "/chunks/LOCK");
            return true;
        }
    }
    return false;
}

TEST(RollupStore, ACrashLosesAndDoublesNone) {
    std::mt19937_64 random(3);
    TestStore store(quick({.out_of_order_window = Duration{2 * kDay}}));
    feed(store, "m", kStart, kStart + 3 * kDay);
    for (int round = 0; round < 12; ++round) {
        const std::int64_t now = kStart + 5 * kDay + kHour + round * 500;  // Every other one writes a checkpoint.
        store.maintain(now);
        const std::int64_t behind = static_cast<std::int64_t>(random() % (2 * kDay - kHour));
        store.append({at("m", kStart + 3 * kDay - 60'000 - behind, static_cast<double>(random() % 100))});
        if (round % 3 == 0) {
            store.maintain(now + 1);
        }
        // The files as they are now: what SIGKILL leaves.
        TempFolder left;
        ASSERT_TRUE(copy_files(store.path(), left.path() + "/copy"));
        metrics::Registry registry;
        auto opened = Store::open(left.path() + "/copy", quick({.out_of_order_window = Duration{2 * kDay}}), registry);
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        ASSERT_EQ(content(**opened), content(*store)) << round;
        const std::int64_t soon = rollups_of(**opened, "m", kHour, kStart, kStart + 3 * kDay - kHour).reached;
        expect_true(**opened, "m", kHour, kStart, soon);
        for (int i = 0; i < 50; ++i) {
            ASSERT_TRUE((*opened)->maintain(from_millis(now + 10 + i)).has_value());
        }
        expect_true(**opened, "m", kHour, kStart, kStart + 3 * kDay - kHour);
    }
}

TEST(RollupStore, TheyAnswerWhenSamplesAreGone) {
    const auto options = quick({.retention = Duration{3 * kDay}, .rollup_retention = Duration{20 * kDay}});
    TestStore store(options);
    for (int day = 0; day < 10; ++day) {
        feed(store, "m", kStart + day * kDay, kStart + (day + 1) * kDay);
        if (day == 1) {
            feed(store, "quiet", kStart + kDay, kStart + kDay + 3 * kHour);
        }
        for (int i = 0; i < 4; ++i) {
            store.maintain(kStart + (day + 1) * kDay + 2 * kHour + i * 11 * 60'000);
        }
    }
    for (int round = 0; round < 2; ++round) {
        const std::int64_t since = kStart + 7 * kDay + 2 * kHour;
        auto found = store->select({{"__name__", Matcher::Op::Equal, "m"}}, kStart, kStart + 11 * kDay, 0);
        ASSERT_EQ(found->size(), 1U);
        const Series& series = *found->front();
        EXPECT_EQ(series.raw_since(), since);
        const auto samples = samples_of(series);
        std::size_t gone = 0;
        for (const auto& [time, value] : samples) {
            gone += time <= since ? 1 : 0;
            const std::int64_t minute = (time - kStart) / 60'000;
            ASSERT_EQ(std::bit_cast<double>(value), static_cast<double>(minute % 997) / 10) << minute;
        }
        EXPECT_EQ(gone, static_cast<std::size_t>(since - kStart) / kShortRollup + 1);
        EXPECT_EQ(samples.size() - gone, static_cast<std::size_t>(kStart + 10 * kDay - since) / 60'000 - 1);
        std::vector<Rollup> rows;
        EXPECT_EQ(series.rollups(kShortRollup, kStart, kStart + 5 * kDay, rows), kStart + 5 * kDay);
        EXPECT_EQ(rows.size(), static_cast<std::size_t>(5 * kDay / kShortRollup));
        EXPECT_EQ(rows[7].count, 5U);
        rows.clear();
        EXPECT_EQ(series.rollups(kHour, kStart, kStart + 9 * kDay, rows), kStart + 9 * kDay);
        EXPECT_EQ(rows.size(), 9U * 24);
        EXPECT_EQ(content(*store, {{"__name__", Matcher::Op::Equal, "quiet"}}).size(), 1U);
        found->clear();
        store.reopen();
        store.maintain(kStart + 10 * kDay + 2 * kHour + 44 * 60'000);
    }
    // Minutes are kept for four times as long as samples, hours for all of rollup_retention.
    store.maintain(kStart + 15 * kDay);
    store.maintain(kStart + 15 * kDay + 11 * 60'000);
    EXPECT_EQ(content(*store).at("quiet").size(), 4U);  // One belongs to the hour before its day.
    store.maintain(kStart + 40 * kDay);
    EXPECT_TRUE(content(*store).empty());
}

TEST(RollupStore, FoldersFromBeforeAreReadAndGetThem) {
    TestStore store(quick());
    feed(store, "m", kStart, kStart + 2 * kDay + kHour);
    store.maintain(kStart + 2 * kDay);
    const auto before = content(*store);
    store.close();
    {
        std::vector<std::string> names;
        ASSERT_TRUE(rocksdb::DB::ListColumnFamilies({}, store.path() + "/chunks", &names).ok());
        std::vector<rocksdb::ColumnFamilyDescriptor> families;
        for (const std::string& name : names) {
            families.emplace_back(name, rocksdb::ColumnFamilyOptions());
        }
        std::vector<rocksdb::ColumnFamilyHandle*> handles;
        rocksdb::DB* db = nullptr;
        ASSERT_TRUE(rocksdb::DB::Open({}, store.path() + "/chunks", families, &handles, &db).ok());
        for (auto* handle : handles) {
            if (handle->GetName() == "rollups") {
                ASSERT_TRUE(db->DropColumnFamily(handle).ok());
            } else if (handle->GetName() == "meta") {
                ASSERT_TRUE(db->Delete({}, handle, "srollups").ok());
            }
        }
        for (auto* handle : handles) {
            ASSERT_TRUE(db->DestroyColumnFamilyHandle(handle).ok());
        }
        ASSERT_TRUE(db->Close().ok());
        delete db;
    }
    const auto checked = verify(store.path());
    ASSERT_TRUE(checked.has_value()) << checked.error().message;
    EXPECT_TRUE(checked->damage.empty());
    store.reopen();
    EXPECT_EQ(content(*store), before);
    maintain_until(store, kStart + 2 * kDay + 2 * kHour, "m", kStart, kStart + 2 * kDay - kHour);
    expect_true(*store, "m", kHour, kStart, kStart + 2 * kDay - kHour);
}

}  // namespace
}  // namespace stoker::tsdb
