#include "tsdb/wal.h"

#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "tsdb/store_fixture.h"
#include "tsdb/wal_format.h"

namespace stoker::tsdb {
namespace {

using testing::TempFolder;

struct Replayed {
    std::vector<std::string> frames;
    WalReplay report;
};

Replayed replay(const std::string& folder) {
    Replayed result;
    Result<WalReplay> report = replay_wal(folder, [&](std::string_view entries) {
        result.frames.emplace_back(entries);
        return true;
    });
    EXPECT_TRUE(report.has_value());
    result.report = report ? *report : WalReplay{};
    return result;
}

std::unique_ptr<Wal> open_wal(const std::string& folder, std::uint64_t number, WalSync sync = WalSync::None) {
    auto wal = Wal::open(folder, number, sync);
    EXPECT_TRUE(wal.has_value());
    return wal ? *std::move(wal) : nullptr;
}

void write(Wal& wal, std::string_view entries) {
    EXPECT_TRUE(wal.commit(wal.enqueue(entries)).has_value());
}

// Two segments: "one", "two" and "three", "four".
void write_four(const std::string& folder) {
    auto wal = open_wal(folder, 1);
    write(*wal, "one");
    write(*wal, "two");
    EXPECT_EQ(wal->rotate().value_or(0), 2U);
    write(*wal, "three");
    write(*wal, "four");
}

std::string read_all(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}
void write_all_bytes(const std::filesystem::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

using Texts = std::vector<std::string>;

TEST(Wal, GivesBackWhatWasCommittedInOrder) {
    for (const WalSync sync : {WalSync::None, WalSync::EveryCommit}) {
        TempFolder folder;
        {
            auto wal = open_wal(folder.path(), 1, sync);
            write(*wal, "a");
            wal->enqueue("b");
            write(*wal, "c");
            wal->enqueue("never committed");
        }
        const auto found = replay(folder.path());
        EXPECT_EQ(found.frames, (Texts{"a", "bc"}));
        EXPECT_EQ(found.report.next_segment, 2U);
        EXPECT_EQ(found.report.torn_bytes + found.report.damaged_bytes, 0U);
    }
}

TEST(Wal, RotateFlushesAndRemoveTrims) {
    TempFolder folder;
    auto wal = open_wal(folder.path(), 1);
    wal->enqueue("waiting");
    EXPECT_EQ(wal->rotate().value_or(0), 2U);
    write(*wal, "second");
    EXPECT_EQ(replay(folder.path()).frames, (Texts{"waiting", "second"}));
    const auto before = wal->bytes();
    ASSERT_TRUE(wal->remove_before(2).has_value());
    EXPECT_EQ(replay(folder.path()).frames, (Texts{"second"}));
    EXPECT_LT(wal->bytes(), before);
}

// Cut the last segment at every byte: whole frames stay, the rest goes quietly, and the next start is clean.
TEST(Wal, TornTailAtEveryByteKeepsWholeFrames) {
    TempFolder whole;
    write_four(whole.path());
    const std::string bytes = read_all(wal_segment_path(whole.path(), 2));
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        SCOPED_TRACE(cut);
        TempFolder folder;
        write_four(folder.path());
        write_all_bytes(wal_segment_path(folder.path(), 2), bytes.substr(0, cut));
        Texts want{"one", "two"};
        if (cut >= bytes.size() - 16) {
            want.emplace_back("three");
        }
        if (cut == bytes.size()) {
            want.emplace_back("four");
        }
        const auto found = replay(folder.path());
        EXPECT_EQ(found.frames, want);
        EXPECT_EQ(found.report.damaged_bytes, 0U);
        const auto again = replay(folder.path());
        EXPECT_EQ(again.frames, want);
        EXPECT_EQ(again.report.torn_bytes, 0U);
    }
}

// Flip every byte of the first segment: never a frame that was not written, the loss is reported, the copy kept.
TEST(Wal, DamageInTheMiddleIsReportedAndSetAside) {
    TempFolder whole;
    write_four(whole.path());
    const std::string bytes = read_all(wal_segment_path(whole.path(), 1));
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        SCOPED_TRACE(at);
        TempFolder folder;
        write_four(folder.path());
        std::string damaged = bytes;
        damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
        write_all_bytes(wal_segment_path(folder.path(), 1), damaged);
        const auto found = replay(folder.path());
        EXPECT_GT(found.report.damaged_bytes, 0U);
        EXPECT_TRUE(found.frames == (Texts{"three", "four"}) || found.frames == (Texts{"one", "three", "four"}));
        EXPECT_TRUE(std::filesystem::exists(wal_segment_path(folder.path(), 1).string() + ".damaged"));
        EXPECT_EQ(replay(folder.path()).report.damaged_bytes, 0U);
    }
}

TEST(Wal, ManyWritersShareFramesAndLoseNothing) {
    TempFolder folder;
    constexpr int kThreads = 4;
    constexpr int kEach = 500;
    {
        auto wal = open_wal(folder.path(), 1);
        std::vector<std::thread> writers;
        for (int t = 0; t < kThreads; ++t) {
            writers.emplace_back([&wal, t] {
                for (int i = 0; i < kEach; ++i) {
                    write(*wal, std::string(1, static_cast<char>('a' + t)));
                    if (t == 0 && i % 100 == 0) {
                        EXPECT_TRUE(wal->rotate().has_value());
                    }
                }
            });
        }
        for (auto& writer : writers) {
            writer.join();
        }
    }
    std::string all;
    for (const auto& frame : replay(folder.path()).frames) {
        all += frame;
    }
    for (int t = 0; t < kThreads; ++t) {
        EXPECT_EQ(std::count(all.begin(), all.end(), static_cast<char>('a' + t)), kEach);
    }
}

}  // namespace
}  // namespace stoker::tsdb
