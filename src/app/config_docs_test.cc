// What is checked in is what the code says: docs/configuration.md, and examples that load.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "app/config.h"
#include "base/file.h"

namespace stoker::app {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = fs::path(__FILE__).parent_path().parent_path().parent_path();

// STOKER_UPDATE=1 rewrites the file instead.
TEST(ConfigDocs, AreUpToDate) {
    const fs::path file = kRoot / "docs" / "configuration.md";
    const std::string generated = configuration_markdown();
    if (std::getenv("STOKER_UPDATE") != nullptr) {
        ASSERT_TRUE(write_file_atomic(file, generated));
    }
    const auto checked_in = read_file(file);
    ASSERT_TRUE(checked_in) << checked_in.error().message;
    EXPECT_EQ(*checked_in, generated) << "run again with STOKER_UPDATE=1";
}

TEST(ConfigDocs, ExamplesLoad) {
    std::size_t seen = 0;
    for (const auto& entry : fs::directory_iterator(kRoot / "examples")) {
        if (entry.path().extension() != ".yaml") continue;
        ++seen;
        for (const auto& problem : load_config(entry.path(), config::process_environment()).problems) {
            ADD_FAILURE() << problem.text();
        }
    }
    EXPECT_GE(seen, 3U);
}

}  // namespace
}  // namespace stoker::app
