// Runs every script in testdata/, one test each.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "promql/promqltest.h"

namespace stoker::promql {
namespace {

std::vector<std::filesystem::path> scripts() {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(STOKER_PROMQL_TESTDATA)) {
        if (entry.path().extension() == ".test") found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    return found;
}

class Scripts : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(Scripts, Hold) {
    std::ifstream file(GetParam());
    std::stringstream text;
    text << file.rdbuf();
    ScriptRunner runner;
    const ScriptReport report = runner.run(text.str());
    for (const ScriptMismatch& mismatch : report.mismatches) {
        ADD_FAILURE() << GetParam() << ":" << mismatch.line << ": " << mismatch.query << "\n" << mismatch.difference;
    }
    EXPECT_GT(report.passed, 0U);
}

INSTANTIATE_TEST_SUITE_P(Testdata, Scripts, testing::ValuesIn(scripts()),
                         [](const auto& script) { return script.param.stem().string(); });

}  // namespace
}  // namespace stoker::promql
