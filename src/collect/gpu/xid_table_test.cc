#include "collect/gpu/xid_table.h"

#include <gmock/gmock.h>

#include "collect/gpu/gpu_fixture.h"

namespace stoker::collect {
namespace {

using ::testing::HasSubstr;

TEST(XidTable, WhatShipsIsReadAndKnowsWhatHurts) {
    const XidTable table = testing::shipped_xids();
    const struct {
        std::int64_t code;
        const char* generation;
        const char* action;
        const char* severity;
    } rows[] = {{79, "hopper", "reboot", "critical"},      {13, "ampere", "restart_app", "warning"},
                {94, "hopper", "restart_app", "critical"}, {63, "hopper", "watch", "warning"},
                {70, "ada", "restart_app", "warning"},     {145, "blackwell", "reset_gpu", "critical"},
                {145, "hopper", "watch", "warning"},       {9999, "", "watch", "warning"}};
    for (const auto& row : rows) {
        EXPECT_EQ(table.find(row.code, row.generation).action, row.action) << row.code;
        EXPECT_EQ(table.find(row.code, row.generation).severity, row.severity) << row.code;
    }
    EXPECT_GE(table.size(), 50U);
}

TEST(XidTable, AnEntryForTheGenerationWins) {
    auto table = XidTable::parse(
        "xids:\n"
        "  - {codes: 63, meaning: any, action: watch, severity: warning}\n"
        "  - {codes: 60-64, generations: [blackwell], meaning: new, action: reboot, severity: critical}\n",
        "t.yaml");
    ASSERT_TRUE(table) << table.error().message;
    EXPECT_EQ(table->find(63, "hopper").meaning, "any");
    EXPECT_EQ(table->find(63, "blackwell").meaning, "new");
    EXPECT_EQ(table->find(60, "hopper").meaning, "not in the table of XIDs");
}

TEST(XidTable, MistakesAreNamedWithTheirPlace) {
    const struct {
        const char* yaml;
        const char* said;
    } rows[] = {
        {"xids:\n  - {codes: 9-3, meaning: x, action: watch, severity: info}\n", "t.yaml:2:"},
        {"xids:\n  - {codes: 9-3, meaning: x, action: watch, severity: info}\n", "xids[0].codes"},
        {"xids:\n  - {codes: all, meaning: x, action: watch, severity: info}\n", "must be codes and ranges"},
        {"xids:\n  - {codes: 9, meaning: x, action: burn, severity: info}\n", "xids[0].action"},
        {"xids:\n  - {codes: 9, action: watch, severity: info}\n", "meaning"},
        {"version: 2\n", "must be 1"},
    };
    for (const auto& row : rows) {
        auto table = XidTable::parse(row.yaml, "t.yaml");
        ASSERT_FALSE(table) << row.yaml;
        EXPECT_THAT(table.error().message, HasSubstr(row.said));
    }
}

}  // namespace
}  // namespace stoker::collect
