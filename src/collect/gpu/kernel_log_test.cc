#include "collect/gpu/kernel_log.h"

#include <gmock/gmock.h>
#include <time.h>

#include <filesystem>
#include <fstream>

namespace stoker::collect {
namespace {

TEST(KernelRecord, Lines) {
    const auto record = parse_kernel_record("4,1234,98765432,-,caller=T1;NVRM: Xid (PCI:0000:3b:00): 79, gone");
    ASSERT_TRUE(record);
    EXPECT_EQ(record->since_boot_us, 98765432);
    EXPECT_EQ(record->message, "NVRM: Xid (PCI:0000:3b:00): 79, gone");
    for (const char* bad : {"", " SUBSYSTEM=pci", "4,5;x", "4,5,late,-;x", "4,5,-7,-;x", "no semicolon"}) {
        EXPECT_FALSE(parse_kernel_record(bad)) << bad;
    }
}

TEST(XidLine, Forms) {
    const struct {
        const char* message;
        const char* pci;  // Empty: no XID.
        std::int64_t code;
        const char* detail;
        bool nvswitch;
    } rows[] = {
        {"NVRM: Xid (PCI:0000:3b:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.", "0000:3b:00.0",
         79, "pid='<unknown>', name=<unknown>, GPU has fallen off the bus.", false},
        {"NVRM: Xid (PCI:0000:C1:00.0): 31, pid=7, name=python", "0000:c1:00.0", 31, "pid=7, name=python", false},
        {"NVRM: Xid (0000:03:00): 13, Graphics Exception", "0000:03:00.0", 13, "Graphics Exception", false},
        {"NVRM: Xid (PCI:00000009:01:00): 45, x", "0009:01:00.0", 45, "x", false},
        {"NVRM: Xid (PCI:0000:3b:00): 48", "0000:3b:00.0", 48, "", false},
        {"nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): 24007, Fatal, Link 36", "0000:c1:00.0", 24007, "Fatal, Link 36",
         true},
        {"NVRM: GPU at PCI:0000:3b:00: GPU-12", "", 0, "", false},
        {"NVRM: Xid (PCI:0000:3b:00): none", "", 0, "", false},
        {"NVRM: Xid (PCI:0000:3b): 79", "", 0, "", false},
        {"NVRM: Xid (PCI:0000:zz:00): 79", "", 0, "", false},
        {"NVRM: Xid (PCI:0000:3b:00): -4, x", "", 0, "", false},
        {"NVRM: Xid (", "", 0, "", false},
        {"said: SXid (PCI:0000:c1:00.0): 1, x", "", 0, "", false},
    };
    for (const auto& row : rows) {
        const auto line = parse_xid_line(row.message);
        ASSERT_EQ(line.has_value(), *row.pci != 0) << row.message;
        if (!line) continue;
        EXPECT_EQ(line->pci, row.pci) << row.message;
        EXPECT_EQ(line->code, row.code);
        EXPECT_EQ(line->detail, row.detail);
        EXPECT_EQ(line->nvswitch, row.nvswitch);
    }
}

TEST(KernelLog, GivesEachRecordOnceWithItsTime) {
    const auto path = std::filesystem::path(::testing::TempDir()) / "kernel_log_once";
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    const std::int64_t second_ago = static_cast<std::int64_t>(time.tv_sec - 1) * 1'000'000 + time.tv_nsec / 1'000;
    std::ofstream file(path, std::ios::trunc);
    file << "6,1," << second_ago << ",-;first\n SUBSYSTEM=pci\n6,2," << second_ago << ",-;sec" << std::flush;
    KernelLog log(path.string());
    std::vector<std::string> seen;
    const auto take = [&](Timestamp at, std::string_view message) {
        seen.emplace_back(message);
        EXPECT_NEAR(static_cast<double>(to_millis(at)), 99'000.0, 500.0);
    };
    ASSERT_TRUE(log.read(from_millis(100'000), take));
    EXPECT_THAT(seen, ::testing::ElementsAre("first"));
    file << "ond\n" << std::flush;
    ASSERT_TRUE(log.read(from_millis(100'000), take));
    EXPECT_THAT(seen, ::testing::ElementsAre("first", "second"));
    ASSERT_TRUE(log.read(from_millis(100'000), take));
    EXPECT_EQ(seen.size(), 2U);
    std::filesystem::remove(path);
}

TEST(KernelLog, WithoutALogItSaysWhichFile) {
    KernelLog log("/no/such/kmsg");
    const auto read = log.read(from_millis(0), [](Timestamp, std::string_view) {});
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Errc::NotFound);
    EXPECT_THAT(read.error().message, ::testing::HasSubstr("/no/such/kmsg"));
}

}  // namespace
}  // namespace stoker::collect
