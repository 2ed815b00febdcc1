#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/id.h"

namespace stoker {
namespace {

namespace fs = std::filesystem;

class FileTest : public testing::Test {
protected:
    void SetUp() override { ASSERT_TRUE(ensure_directory(folder_)); }
    void TearDown() override { fs::remove_all(folder_); }

    const fs::path folder_ = fs::temp_directory_path() / ("stoker-file-" + random_hex(6));
};

TEST_F(FileTest, ReadsBackWhatWasWritten) {
    const std::string content = "a\0b" + std::string(200'000, 'x');
    ASSERT_TRUE(write_file_atomic(folder_ / "f", content));
    EXPECT_EQ(*read_file(folder_ / "f"), content);
    ASSERT_TRUE(write_file_atomic(folder_ / "f", "", Durability::PowerLoss));
    EXPECT_EQ(*read_file(folder_ / "f"), "");
}

TEST_F(FileTest, CopiesWholeFilesAndTheirBeginnings) {
    const std::string content(3'000'000, 'x');
    ASSERT_TRUE(write_file_atomic(folder_ / "f", content));
    EXPECT_EQ(*copy_durably(folder_ / "f", folder_ / "whole"), content.size());
    EXPECT_EQ(*read_file(folder_ / "whole"), content);
    EXPECT_EQ(*copy_durably(folder_ / "f", folder_ / "part", 70'000), 70'000u);
    EXPECT_EQ(*read_file(folder_ / "part"), content.substr(0, 70'000));
    EXPECT_EQ(copy_durably(folder_ / "f", folder_ / "part").error().code, Errc::Conflict);
    EXPECT_EQ(copy_durably(folder_ / "none", folder_ / "new").error().code, Errc::NotFound);
    EXPECT_FALSE(fs::exists(folder_ / "new"));
}

TEST_F(FileTest, LeavesNothingBeside) {
    ASSERT_TRUE(write_file_atomic(folder_ / "f", "x"));
    EXPECT_FALSE(write_file_atomic(folder_ / "none" / "f", "x"));
    fs::create_directory(folder_ / "d");
    EXPECT_FALSE(write_file_atomic(folder_ / "d", "x"));
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 2);
}

TEST_F(FileTest, NewFilesHaveTheMode) {
    ASSERT_TRUE(write_file_atomic(folder_ / "secret", "x", Durability::Process, 0600));
    struct stat status {};
    ASSERT_EQ(::stat((folder_ / "secret").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(FileTest, RefusesMoreThanTheLimit) {
    ASSERT_TRUE(write_file_atomic(folder_ / "f", "12345"));
    EXPECT_EQ(*read_file(folder_ / "f", 5), "12345");
    EXPECT_EQ(read_file(folder_ / "f", 4).error().code, Errc::ResourceExhausted);
    EXPECT_EQ(read_file("/dev/zero", 100'000).error().code, Errc::ResourceExhausted);
}

TEST_F(FileTest, ReadsFilesWithoutSize) {
    EXPECT_NE(read_file("/proc/self/status")->find("Pid:"), std::string::npos);
}

TEST_F(FileTest, ErrorsNameThePath) {
    const auto missing = read_file(folder_ / "missing").error();
    EXPECT_EQ(missing.code, Errc::NotFound);
    EXPECT_EQ(missing.message, "cannot open " + (folder_ / "missing").string() + ": No such file or directory");
    EXPECT_EQ(read_file(folder_).error().message, "cannot read " + folder_.string() + ": Is a directory");
}

TEST_F(FileTest, EnsureDirectoryMakesParents) {
    EXPECT_TRUE(ensure_directory(folder_ / "a" / "b"));
    EXPECT_TRUE(ensure_directory(folder_ / "a" / "b"));
    EXPECT_TRUE(fs::is_directory(folder_ / "a" / "b"));
    ASSERT_TRUE(write_file_atomic(folder_ / "f", "x"));
    EXPECT_EQ(ensure_directory(folder_ / "f").error().code, Errc::Conflict);
    EXPECT_EQ(ensure_directory(folder_ / "f" / "g").error().code, Errc::Conflict);
}

}  // namespace
}  // namespace stoker
