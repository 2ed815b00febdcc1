#include "tsdb/wal.h"

#include <gtest/gtest.h>

#include <cerrno>
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
        if (cut >= bytes.size() - kWalFrameHeader - 4) {
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

// Flip each bit of either segment: never a frame that was not written; what is missing is reported and kept aside.
TEST(Wal, AFlippedBitIsReportedOrHarmless) {
    TempFolder whole;
    write_four(whole.path());
    const Texts all{"one", "two", "three", "four"};
    for (const std::uint64_t segment : {1, 2}) {
        const std::string bytes = read_all(wal_segment_path(whole.path(), segment));
        for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
            SCOPED_TRACE(bit);
            TempFolder folder;
            write_four(folder.path());
            std::string damaged = bytes;
            damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
            write_all_bytes(wal_segment_path(folder.path(), segment), damaged);
            const auto found = replay(folder.path());
            ASSERT_GE(found.frames.size(), 3U);
            if (found.frames != all) {
                ASSERT_GT(found.report.damaged_bytes, 0U);
                ASSERT_TRUE(std::filesystem::exists(wal_segment_path(folder.path(), segment).string() + ".damaged"));
            }
            std::size_t next = 0;
            for (const auto& frame : found.frames) {
                next = static_cast<std::size_t>(
                    std::find(all.begin() + static_cast<std::ptrdiff_t>(next), all.end(), frame) - all.begin());
                ASSERT_LT(next, all.size());
            }
            ASSERT_EQ(found.report.damage.empty(), found.report.damaged_bytes == 0);
            ASSERT_EQ(replay(folder.path()).frames, found.frames);
        }
    }
}

// Fails the calls that a test names.
class Failing final : public Faults {
public:
    int on(Op op, std::string_view /*path*/) override { return op == which ? error : 0; }
    Op which = Op::Write;
    int error = 0;
};

TEST(Wal, GoesOnWhenThereIsSpaceAgain) {
    TempFolder folder;
    Failing disk;
    {
        auto wal = *Wal::open(folder.path(), 1, WalSync::None, &disk);
        write(*wal, "one");
        disk.error = ENOSPC;
        EXPECT_EQ(wal->commit(wal->enqueue("a series and ")).error().code, Errc::ResourceExhausted);
        EXPECT_FALSE(wal->commit(wal->enqueue("its sample, ")).has_value());
        EXPECT_FALSE(wal->retry().has_value());
        EXPECT_FALSE(wal->rotate().has_value());
        disk.error = 0;
        EXPECT_TRUE(wal->retry().has_value());
        write(*wal, "two");
        disk.which = Faults::Op::Create;
        disk.error = ENOSPC;
        EXPECT_FALSE(wal->rotate().has_value());
        write(*wal, "three");
        disk.error = 0;
        EXPECT_EQ(wal->rotate().value_or(0), 2U);
        write(*wal, "four");
    }
    const auto found = replay(folder.path());
    EXPECT_EQ(found.frames, (Texts{"one", "a series and its sample, ", "two", "three", "four"}));
    EXPECT_EQ(found.report.damaged_bytes + found.report.torn_bytes, 0U);
}

TEST(Wal, StaysFailedAfterEverythingElse) {
    struct Case {
        Faults::Op op;
        int error;
    };
    for (const Case& one :
         {Case{Faults::Op::Write, EIO}, Case{Faults::Op::Sync, EIO}, Case{Faults::Op::Sync, ENOSPC}}) {
        TempFolder folder;
        Failing disk;
        auto wal = *Wal::open(folder.path(), 1, WalSync::EveryCommit, &disk);
        write(*wal, "one");
        disk.which = one.op;
        disk.error = one.error;
        EXPECT_EQ(wal->commit(wal->enqueue("two")).error().code, Errc::Unavailable);
        disk.error = 0;
        EXPECT_FALSE(wal->retry().has_value());
        EXPECT_FALSE(wal->commit(wal->enqueue("three")).has_value());
        EXPECT_EQ(replay(folder.path()).frames.front(), "one");
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
