#include "app/data_folder.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/id.h"

namespace stoker::app {
namespace {

struct DataFolderTest : testing::Test {
    std::string path = std::filesystem::temp_directory_path() / ("stoker-" + random_hex(8));
    ~DataFolderTest() override { std::filesystem::remove_all(path); }
};

TEST_F(DataFolderTest, IsForOneAtATime) {
    {
        auto first = DataFolder::open(path);
        ASSERT_TRUE(first);
        auto second = DataFolder::open(path);
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().code, Errc::Conflict);
    }
    EXPECT_TRUE(DataFolder::open(path));
}

TEST_F(DataFolderTest, PublishesWhereItListens) {
    auto folder = DataFolder::open(path);
    ASSERT_TRUE(folder);
    ASSERT_TRUE(folder->publish("127.0.0.1:1", "127.0.0.1:2", from_millis(5)));
    auto run = nlohmann::json::parse(*read_file(folder->at("run.json")));
    EXPECT_EQ(run["gateway"], "127.0.0.1:1");
    EXPECT_EQ(run["console"], "127.0.0.1:2");
    EXPECT_EQ(run["started_ms"], 5);
    folder->withdraw();
    EXPECT_FALSE(read_file(folder->at("run.json")));
}

}  // namespace
}  // namespace stoker::app
