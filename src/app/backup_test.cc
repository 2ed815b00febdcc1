#include "app/backup.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "app/data_folder.h"
#include "base/file.h"
#include "base/id.h"
#include "outward/event_log.h"

namespace stoker::app {
namespace {

namespace fs = std::filesystem;
constexpr Timestamp kNow = from_millis(1'700'000'000'000);

class BackupTest : public testing::Test {
protected:
    void SetUp() override {
        ASSERT_TRUE(ensure_directory(root_));
        open(root_ / "data");
    }
    ~BackupTest() override {
        storage_.reset();
        events_.reset();
        fs::remove_all(root_);
    }

    void open(const fs::path& data) {
        storage_.reset();
        folder_.reset();
        auto folder = DataFolder::open(data);
        ASSERT_TRUE(folder) << folder.error().message;
        folder_.emplace(*std::move(folder));
        auto storage = Storage::open(*folder_, default_config(), registry_);
        ASSERT_TRUE(storage) << storage.error().message;
        storage_ = *std::move(storage);
        events_.reset();
        auto events = outward::EventLog::open(folder_->at("events"), {}, registry_);
        ASSERT_TRUE(events) << events.error().message;
        events_ = *std::move(events);
    }

    void publish(const std::string& subject) {
        events_->publish({.at = kNow, .type = "incident.opened", .subject = subject});
    }
    // What `reader` was not told yet.
    std::string untold(const std::string& reader) {
        const auto events = events_->read(events_->place(reader), 10);
        std::string subjects;
        for (const auto& event : *events) subjects += event.subject + " ";
        return subjects;
    }

    // Seconds since 1970 at which `up` was 1.
    std::size_t samples() {
        const auto found = storage_->metrics->select({{"__name__", tsdb::Matcher::Op::Equal, "up"}}, 0, INT64_MAX, 0);
        std::size_t count = 0;
        for (const auto& series : *found) {
            const auto walk = series->samples();
            for (tsdb::Sample sample; walk->next(sample);) ++count;
        }
        return count;
    }
    void add_sample() {
        const tsdb::SeriesSample sample{{{"__name__", "up"}},
                                        {to_millis(now()) + static_cast<std::int64_t>(added_++), 1}};
        ASSERT_EQ(storage_->metrics->append({sample})->accepted, 1u);
    }
    BackupProgress quiet() {
        return [](std::uint64_t, std::uint64_t) {};
    }

    const fs::path root_ = fs::temp_directory_path() / ("stoker-backup-" + random_hex(8));
    metrics::Registry registry_;
    std::optional<DataFolder> folder_;
    std::unique_ptr<Storage> storage_;
    std::unique_ptr<outward::EventLog> events_;
    std::size_t added_ = 0;
};

TEST_F(BackupTest, HoldsEveryStoreAsOfItsMoment) {
    add_sample();
    ASSERT_TRUE(storage_->state->set_value("key", "before"));
    ASSERT_TRUE(storage_->journal->append(journal::Kind::Audit, "record", kNow));
    const auto made = make_backup(*storage_, events_->journal(), root_ / "backup", kNow);
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_GT(made->bytes(), 0u);
    add_sample();
    ASSERT_TRUE(storage_->state->set_value("key", "after"));

    const auto copied = copy_backup(root_ / "backup", root_ / "restored", quiet());
    ASSERT_TRUE(copied) << copied.error().message;
    EXPECT_EQ(copied->created, kNow);
    open(root_ / "restored");
    EXPECT_EQ(samples(), 1u);
    EXPECT_EQ(*storage_->state->value("key"), "before");
    EXPECT_EQ(storage_->journal->read(1, 10)->at(0).payload, "record");
}

TEST_F(BackupTest, AWebhookGoesOnWhereItWas) {
    EXPECT_EQ(untold("webhook"), "");
    publish("told");
    ASSERT_TRUE(events_->commit("webhook", events_->next_sequence()));
    publish("waiting");
    ASSERT_TRUE(make_backup(*storage_, events_->journal(), root_ / "backup", kNow));
    publish("later");
    ASSERT_TRUE(copy_backup(root_ / "backup", root_ / "restored", quiet()));
    open(root_ / "restored");
    EXPECT_EQ(untold("webhook"), "waiting ");
    EXPECT_EQ(events_->select({})->events.size(), 2u);
}

TEST_F(BackupTest, ADamagedFileIsNamedAndNothingIsRestored) {
    ASSERT_TRUE(make_backup(*storage_, events_->journal(), root_ / "backup", kNow));
    std::fstream(root_ / "backup/state.sqlite", std::ios::in | std::ios::out | std::ios::binary).seekp(100).put('!');
    const auto copied = copy_backup(root_ / "backup", root_ / "restored", quiet());
    ASSERT_FALSE(copied);
    EXPECT_EQ(copied.error().code, Errc::Corruption);
    EXPECT_NE(copied.error().message.find("state.sqlite"), std::string::npos) << copied.error().message;
    EXPECT_FALSE(fs::exists(root_ / "restored"));
}

TEST_F(BackupTest, WhatIsNoBackupIsRefused) {
    EXPECT_EQ(verify_backup(root_, quiet()).error().code, Errc::NotFound);
    ASSERT_TRUE(ensure_directory(root_ / "odd"));
    const auto refused = [&](const std::string& manifest) {
        EXPECT_TRUE(write_file_atomic(root_ / "odd/manifest.json", manifest));
        return verify_backup(root_ / "odd", quiet()).error().code;
    };
    EXPECT_EQ(refused("{"), Errc::Corruption);
    EXPECT_EQ(refused(R"({"version":1,"files":[1]})"), Errc::Corruption);
    EXPECT_EQ(refused(R"({"version":1,"files":[{"path":"../../etc/passwd"}]})"), Errc::Corruption);
    EXPECT_EQ(refused(R"({"version":99,"files":[]})"), Errc::Conflict);
}

TEST_F(BackupTest, LeavesNothingBehindWhenItFails) {
    ASSERT_TRUE(ensure_directory(root_ / "there"));
    EXPECT_EQ(make_backup(*storage_, events_->journal(), root_ / "there", kNow).error().code, Errc::Conflict);
    ASSERT_TRUE(write_file_atomic(root_ / "file", "x"));
    EXPECT_FALSE(make_backup(*storage_, events_->journal(), root_ / "file/backup", kNow));
}

}  // namespace
}  // namespace stoker::app
