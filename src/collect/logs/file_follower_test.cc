#include "collect/logs/file_follower.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "collect/logs/testing.h"

namespace stoker::collect {
namespace {

using namespace std::chrono_literals;
using testing::RememberingLogSink;

// A folder with log files, a follower of app.log in it, and a clock that moves a second a poll.
class FollowerTest : public ::testing::Test {
protected:
    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "stoker-logs-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
        start();
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    void start(std::size_t max_line = 1000) {
        FollowerOptions options;
        options.specs.push_back({.paths = {path("app.log")}, .from_beginning = true});
        options.specs.back().join.wait = 0ms;
        options.positions_file = path("positions.json");
        options.max_line = max_line;
        follower_ = std::make_unique<FileFollower>(std::move(options), sink_, registry_);
    }
    void restart() {
        follower_.reset();
        start();
    }
    std::string path(const std::string& name) const { return folder_ + "/" + name; }
    void write(const std::string& text, const std::string& name = "app.log") const {
        std::ofstream(path(name), std::ios::app | std::ios::binary) << text;
    }
    void rename(const std::string& from, const std::string& to) const { std::filesystem::rename(path(from), path(to)); }
    std::string poll() {
        now_ += 1s;
        follower_->poll(now_);
        return sink_.take_bodies();
    }

    std::string folder_;
    RememberingLogSink sink_;
    metrics::Registry registry_;
    std::unique_ptr<FileFollower> follower_;
    SteadyTime now_{100s};
};

TEST_F(FollowerTest, WholeLinesAsTheyCome) {
    EXPECT_EQ(poll(), "");
    write("one\ntw");
    EXPECT_EQ(poll(), "one");
    write("o\n");
    EXPECT_EQ(poll(), "two");
    EXPECT_EQ(poll(), "");
}

TEST_F(FollowerTest, RenamedFileIsReadToItsEnd) {
    write("a\n");
    EXPECT_EQ(poll(), "a");
    write("b\n");
    rename("app.log", "app.log.1");
    write("c\n", "app.log.1");
    write("d\n");
    EXPECT_EQ(poll(), "b|c|d");
    write("late\n", "app.log.1");
    EXPECT_EQ(poll(), "late");
    now_ += 20s;
    poll();
    EXPECT_EQ(follower_->files(), 1U);
}

TEST_F(FollowerTest, RotationFasterThanPolls) {
    write("a\n");
    EXPECT_EQ(poll(), "a");
    rename("app.log", "app.log.1");
    write("b\n");
    rename("app.log.1", "app.log.2");
    rename("app.log", "app.log.1");
    write("c\n");
    const std::string got = poll();
    EXPECT_TRUE(got == "b|c" || got == "c|b") << got;
}

TEST_F(FollowerTest, SeenOnlyUnderItsLaterName) {
    EXPECT_EQ(poll(), "");
    write("a\n");
    rename("app.log", "app.log.1");
    write("b\n");
    const std::string got = poll();
    EXPECT_TRUE(got == "a|b" || got == "b|a") << got;
    EXPECT_EQ(poll(), "");
}

TEST_F(FollowerTest, CopiedAndCut) {
    write("a\nb\n");
    EXPECT_EQ(poll(), "a|b");
    std::filesystem::copy_file(path("app.log"), path("app.log.1"));
    std::filesystem::resize_file(path("app.log"), 0);
    write("c\n");
    EXPECT_EQ(poll(), "c");
    // Grown past where it was before anybody looked.
    std::filesystem::resize_file(path("app.log"), 0);
    write("a longer line than before\n");
    EXPECT_EQ(poll(), "a longer line than before");
    // Grown to exactly where it was.
    std::filesystem::resize_file(path("app.log"), 0);
    write("another line of its size.\n");
    // Times of files go by the kernel's ticks.
    std::filesystem::last_write_time(path("app.log"), std::filesystem::file_time_type::clock::now() + 1s);
    EXPECT_EQ(poll(), "another line of its size.");
    // The copy is not read when the file is renamed as well.
    rename("app.log", "app.log.2");
    write("d\n");
    EXPECT_EQ(poll(), "d");
}

TEST_F(FollowerTest, CopiedCutAndRenamedBeforeAnybodyLooked) {
    write("a\nb\n");
    EXPECT_EQ(poll(), "a|b");
    std::filesystem::copy_file(path("app.log"), path("app.log.1"));
    std::filesystem::resize_file(path("app.log"), 0);
    write("c\n");
    rename("app.log", "app.log.2");
    write("d\n");
    EXPECT_EQ(poll(), "c|d");
}

TEST_F(FollowerTest, GoesOnAfterARestart) {
    write("a\nb\n");
    EXPECT_EQ(poll(), "a|b");
    restart();
    write("c\n");
    EXPECT_EQ(poll(), "c");
}

TEST_F(FollowerTest, RotatedWhileAway) {
    write("a\n");
    EXPECT_EQ(poll(), "a");
    follower_.reset();
    write("b\n");
    rename("app.log", "app.log.1");
    write("c\n");
    start();
    EXPECT_EQ(poll(), "b|c");
}

TEST_F(FollowerTest, WhatTheSinkRefusesIsReadAgain) {
    write("a\nb\n");
    sink_.set_full(true);
    EXPECT_EQ(poll(), "");
    restart();
    EXPECT_EQ(poll(), "");
    sink_.set_full(false);
    write("c\n");
    EXPECT_EQ(poll(), "a|b|c");
    EXPECT_EQ(poll(), "");
}

TEST_F(FollowerTest, LongLinesAreCut) {
    start(10);
    write("0123456789abcdef\nnext\n");
    EXPECT_EQ(poll(), "0123456789|next");
    EXPECT_NE(registry_.text().find("stoker_logs_lines_cut_total 1"), std::string::npos);
}

TEST_F(FollowerTest, WhatWasThereBeforeIsLeftAlone) {
    write("old\n");
    FollowerOptions options;
    options.specs.push_back({.paths = {path("*.log")}, .exclude = {"*/no.log"}});
    options.specs.back().join.wait = 0ms;
    follower_ = std::make_unique<FileFollower>(std::move(options), sink_, registry_);
    EXPECT_EQ(poll(), "");
    write("new\n");
    write("other\n", "other.log");
    write("no\n", "no.log");
    EXPECT_EQ(poll(), "new|other");
}

TEST_F(FollowerTest, ContainersLinesArePutTogether) {
    write("2026-11-22T10:00:00Z stdout P one \n2026-11-22T10:00:01Z stderr F err\n2026-11-22T10:00:02Z stdout F two\n");
    now_ += 1s;
    follower_->poll(now_);
    const auto entries = sink_.take();
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[0].body, "one two");
    EXPECT_EQ(entries[0].source, "container");
    EXPECT_EQ(entries[0].time_ns, 1'795'341'602'000'000'000);
    EXPECT_EQ(entries[1].body, "err");
    EXPECT_EQ(entries[1].attributes, (LogEntry::Attributes{{"log.iostream", "stderr"}}));
}

TEST_F(FollowerTest, DamagedPlacesAreNoEnd) {
    write("a\n");
    write("{\"version\":1,\"files\":[{}]}", "positions.json");
    restart();
    EXPECT_EQ(poll(), "a");
}

}  // namespace
}  // namespace stoker::collect
