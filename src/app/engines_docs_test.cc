// docs/engines.md is what the adapters say.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "collect/engine/docs.h"

namespace stoker::app {
namespace {

const std::filesystem::path kRoot = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();

// STOKER_UPDATE=1 rewrites the file instead.
TEST(EnginesDocs, AreUpToDate) {
    const auto file = kRoot / "docs" / "engines.md";
    const std::string generated = collect::engines_markdown(*collect::Adapters::built_in());
    if (std::getenv("STOKER_UPDATE") != nullptr) {
        ASSERT_TRUE(write_file_atomic(file, generated));
    }
    const auto checked_in = read_file(file);
    ASSERT_TRUE(checked_in) << checked_in.error().message;
    EXPECT_EQ(*checked_in, generated) << "run again with STOKER_UPDATE=1";
}

}  // namespace
}  // namespace stoker::app
