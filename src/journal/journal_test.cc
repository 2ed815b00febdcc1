#include "journal/journal.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "journal/dump.h"
#include "journal/format.h"
#include "journal/testing.h"

namespace stoker::journal {
namespace {

namespace fs = std::filesystem;
using testing::append;
using testing::open;
using testing::payloads;
using testing::TemporaryDirectory;

constexpr Timestamp kStart = from_millis(1'700'000'000'000);

TEST(Journal, GivesBackWhatWasAppended) {
    const TemporaryDirectory directory;
    auto journal = open(directory);
    EXPECT_EQ(journal->first_sequence(), 1u);
    EXPECT_EQ(journal->next_sequence(), 1u);
    EXPECT_EQ(append(*journal, "one"), 1u);
    EXPECT_EQ(append(*journal, ""), 2u);
    EXPECT_EQ(append(*journal, std::string(3'000'000, 'x')), 3u);

    const auto records = journal->read(1, 10);
    ASSERT_TRUE(records);
    ASSERT_EQ(records->size(), 3u);
    EXPECT_EQ((*records)[0].payload, "one");
    EXPECT_EQ((*records)[0].kind, Kind::Request);
    EXPECT_EQ((*records)[1].payload, "");
    EXPECT_EQ((*records)[2].sequence, 3u);
    EXPECT_EQ((*records)[2].payload.size(), 3'000'000u);
    EXPECT_EQ(payloads(*journal, 2, 1), std::vector<std::string>{""});
    EXPECT_TRUE(payloads(*journal, 4, 10).empty());
}

TEST(Journal, AppendsSeveralOrNone) {
    const TemporaryDirectory directory;
    auto journal = open(directory, {.max_record_bytes = 100});
    append(*journal, "before");
    const std::vector<Entry> three = {
        {Kind::Request, "a", kStart}, {Kind::Audit, "", kStart}, {Kind::Request, "c", {}}};
    EXPECT_EQ(*journal->append_all(three), 4u);
    const std::string large(101, 'x');
    const std::vector<Entry> two = {{Kind::Request, "d", kStart}, {Kind::Request, large, kStart}};
    const auto refused = journal->append_all(two);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::ResourceExhausted);
    EXPECT_EQ(append(*journal, "after"), 5u);
    journal = nullptr;

    journal = open(directory);
    EXPECT_EQ(payloads(*journal, 1, 10), (std::vector<std::string>{"before", "a", "", "c", "after"}));
    const auto records = journal->read(3, 1);
    ASSERT_TRUE(records);
    EXPECT_EQ((*records)[0].kind, Kind::Audit);
    EXPECT_EQ((*records)[0].time, kStart);
}

TEST(Journal, KeepsRecordsIdentityAndCursorsWhenReopened) {
    const TemporaryDirectory directory;
    std::string identity;
    {
        auto journal = open(directory);
        append(*journal, "a");
        append(*journal, "b");
        ASSERT_TRUE(journal->commit("records", 2));
        identity = journal->identity();
    }
    auto journal = open(directory);
    EXPECT_EQ(journal->identity(), identity);
    EXPECT_EQ(journal->cursor("records"), 2u);
    EXPECT_EQ(journal->cursor("other"), 1u);
    EXPECT_EQ(append(*journal, "c"), 3u);
    EXPECT_EQ(payloads(*journal, 1, 10), (std::vector<std::string>{"a", "b", "c"}));
    EXPECT_TRUE(journal->damage().empty());
}

TEST(Journal, ACopyHoldsWhatWasAppendedBefore) {
    const TemporaryDirectory directory;
    const TemporaryDirectory target;
    auto journal = open(directory, {.segment_bytes = 4096});
    for (int i = 0; i < 100; ++i) append(*journal, std::string(200, 'a'));
    ASSERT_TRUE(journal->commit("records", 50));
    const std::string copy = target.path() + "/copy";
    ASSERT_TRUE(journal->copy_to(copy));
    append(*journal, "later");
    auto copied = Journal::open(copy, {});
    ASSERT_TRUE(copied) << copied.error().message;
    EXPECT_EQ((*copied)->identity(), journal->identity());
    EXPECT_EQ((*copied)->next_sequence(), 101u);
    EXPECT_EQ((*copied)->cursor("records"), 50u);
    EXPECT_TRUE((*copied)->damage().empty());
    EXPECT_EQ(payloads(**copied, 1, 1000), std::vector<std::string>(100, std::string(200, 'a')));
}

TEST(Journal, RefusesBadCursors) {
    const TemporaryDirectory directory;
    auto journal = open(directory);
    EXPECT_EQ(journal->commit("a b", 1).error().code, Errc::InvalidArgument);
    EXPECT_EQ(journal->commit("records", 2).error().code, Errc::InvalidArgument);
    EXPECT_TRUE(journal->commit("records", 1));
}

TEST(Journal, IsHeldByOneAtATime) {
    const TemporaryDirectory directory;
    auto journal = open(directory);
    const auto second = Journal::open(directory.path(), {});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::Conflict);
}

TEST(Journal, RefusesRecordsOverTheLimit) {
    const TemporaryDirectory directory;
    auto journal = open(directory, {.max_record_bytes = 10});
    EXPECT_EQ(journal->append(Kind::Audit, "01234567890", kStart).error().code, Errc::ResourceExhausted);
    EXPECT_EQ(append(*journal, "0123456789"), 1u);
}

TEST(Journal, ReadsAcrossSegments) {
    const TemporaryDirectory directory;
    const Options options{.segment_bytes = 1000};
    std::vector<std::string> written;
    {
        auto journal = open(directory, options);
        for (int i = 0; i < 200; ++i) {
            written.push_back(std::to_string(i));
            append(*journal, written.back());
        }
    }
    auto journal = open(directory, options);
    EXPECT_GT(directory.segments().size(), 5u);
    EXPECT_EQ(payloads(*journal, 1, 1000), written);
    for (std::uint64_t from = 1; from <= 200; ++from) {
        EXPECT_EQ(payloads(*journal, from, 1), std::vector<std::string>{written[from - 1]});
    }
}

TEST(Journal, ReadsFromTheMiddleOfALargeSegment) {
    const TemporaryDirectory directory;
    constexpr int kCount = 3000;  // Of 300 bytes: several marks.
    {
        auto journal = open(directory);
        for (int i = 1; i <= kCount; ++i) append(*journal, std::to_string(i) + std::string(300, '.'));
    }
    auto journal = open(directory);
    for (int from = 1; from <= kCount; from += 97) {
        const auto records = journal->read(static_cast<std::uint64_t>(from), 2);
        ASSERT_TRUE(records);
        ASSERT_FALSE(records->empty());
        EXPECT_TRUE((*records)[0].payload.starts_with(std::to_string(from) + "."));
    }
}

TEST(Journal, AppendsOfManyThreadsGetDistinctSequencesAndAllStay) {
    const TemporaryDirectory directory;
    constexpr int kThreads = 8;
    constexpr int kEach = 500;
    std::vector<std::set<std::uint64_t>> got(kThreads);
    {
        auto journal = open(directory, {.segment_bytes = 20'000});
        std::vector<std::thread> threads;
        for (int t = 0; t < kThreads; ++t) {
            threads.emplace_back([&journal, &mine = got[static_cast<std::size_t>(t)], t] {
                for (int i = 0; i < kEach; ++i) {
                    const auto sequence = journal->append(Kind::Request, std::to_string(t), kStart);
                    ASSERT_TRUE(sequence);
                    mine.insert(*sequence);
                    ASSERT_TRUE(i % 50 != 0 || journal->read(*sequence, 1).has_value());
                }
            });
        }
        for (auto& thread : threads) thread.join();
    }
    std::set<std::uint64_t> all;
    for (const auto& mine : got) all.insert(mine.begin(), mine.end());
    EXPECT_EQ(all.size(), std::size_t{kThreads * kEach});
    EXPECT_EQ(*all.rbegin(), std::uint64_t{kThreads * kEach});
    auto journal = open(directory, {.segment_bytes = 20'000});
    EXPECT_EQ(payloads(*journal, 1, 10'000).size(), all.size());
}

TEST(Journal, DumpShowsRecordsCursorsAndDamage) {
    const TemporaryDirectory directory;
    {
        auto journal = open(directory);
        append(*journal, "hello");
        append(*journal, "world");
        ASSERT_TRUE(journal->commit("records", 2));
    }
    std::ofstream(fs::path(directory.path()) / segment_name(1), std::ios::app) << "garbage";
    std::string text;
    ASSERT_TRUE(dump(directory.path(), {}, [&](std::string_view line) { (text += line) += '\n'; }));
    for (const char* part : {"1 @64 1970-01-01T00:00:00.001Z request 5 bytes \"hello\"", "2 records in",
                             "damage in 00000000000000000001.seg: bytes 138 to 145", "cursor records 2"}) {
        EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
    }
}

// Retention.

TEST(JournalRetention, AgeWaitsForConsumersAndSizeDoesNot) {
    const TemporaryDirectory directory;
    auto journal =
        open(directory, {.segment_bytes = 500, .retain_bytes = 100'000, .retain_for = std::chrono::hours(1)});
    for (int i = 0; i < 50; ++i) append(*journal, std::string(50, 'x'), kStart);
    const auto much_later = kStart + std::chrono::hours(2);
    ASSERT_TRUE(journal->commit("slow", 10));

    journal->enforce_retention(kStart);
    EXPECT_EQ(journal->first_sequence(), 1u) << "nothing is old";
    journal->enforce_retention(much_later);
    EXPECT_GT(journal->first_sequence(), 1u);
    EXPECT_LE(journal->first_sequence(), 10u) << "a consumer still wants 10";
    ASSERT_TRUE(journal->commit("slow", 51));
    journal->enforce_retention(much_later);
    EXPECT_EQ(directory.segments().size(), 1u) << "the one being written stays";

    auto reopened = (journal.reset(), open(directory, {.segment_bytes = 500, .retain_bytes = 2000}));
    ASSERT_TRUE(reopened->commit("slow", 10));
    for (int i = 0; i < 50; ++i) append(*reopened, std::string(50, 'x'), kStart);
    reopened->enforce_retention(kStart);
    EXPECT_LE(reopened->bytes(), 2000u);
    EXPECT_EQ(reopened->cursor("slow"), reopened->first_sequence()) << "a cursor never points at what is gone";
    EXPECT_EQ(append(*reopened, "next"), 101u);
}

TEST(JournalRetention, AForgottenConsumerHoldsNothingBack) {
    const TemporaryDirectory directory;
    auto journal = open(directory, {.segment_bytes = 500, .retain_for = std::chrono::hours(1)});
    for (int i = 0; i < 50; ++i) append(*journal, std::string(50, 'x'), kStart);
    ASSERT_TRUE(journal->commit("gone", 1));
    ASSERT_TRUE(journal->commit("here", 40));
    EXPECT_EQ(journal->consumers(), (std::vector<std::string>{"gone", "here"}));
    ASSERT_TRUE(journal->forget("gone"));
    ASSERT_TRUE(journal->forget("never there"));
    journal->enforce_retention(kStart + std::chrono::hours(2));
    EXPECT_GT(journal->first_sequence(), 30u);
    journal.reset();
    journal = open(directory);
    EXPECT_EQ(journal->consumers(), std::vector<std::string>{"here"});
    EXPECT_FALSE(journal->has_cursor("gone"));
}

// Damage.

class JournalDamage : public ::testing::Test {
protected:
    // Ten records of 100 bytes in one segment: record i begins at 64 + 132 (i - 1).
    void SetUp() override {
        auto journal = open(directory_);
        for (int i = 1; i <= 10; ++i) append(*journal, std::string(100, static_cast<char>('a' + i - 1)));
    }
    static std::uint64_t offset_of(int record) { return 64 + 132 * static_cast<std::uint64_t>(record - 1); }
    fs::path segment() const { return fs::path(directory_.path()) / segment_name(1); }

    std::string content() const {
        std::ifstream in(segment(), std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(in), {});
    }

    void overwrite(std::uint64_t offset, std::string_view bytes) const {
        std::fstream file(segment(), std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(static_cast<std::streamoff>(offset));
        file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    }

    // The first letters of the records that are served.
    std::string served() {
        auto journal = open(directory_);
        damage_ = journal->damage();
        next_ = journal->next_sequence();
        std::string letters;
        for (const std::string& payload : payloads(*journal, 1, 100)) letters += payload[0];
        return letters;
    }

    TemporaryDirectory directory_;
    std::vector<Damage> damage_;
    std::uint64_t next_ = 0;
};

TEST_F(JournalDamage, EveryTornTailIsCut) {
    const std::string good = content();
    for (std::uint64_t size = offset_of(9); size < good.size(); ++size) {
        std::ofstream(segment(), std::ios::binary) << good.substr(0, size);
        const bool ninth_is_whole = size >= offset_of(10);
        EXPECT_EQ(served(), ninth_is_whole ? "abcdefghi" : "abcdefgh") << size;
        EXPECT_TRUE(damage_.empty()) << size;
        EXPECT_EQ(fs::file_size(segment()), ninth_is_whole ? offset_of(10) : offset_of(9)) << size;
    }
}

TEST_F(JournalDamage, AFlippedByteAnywhereCostsOneRecord) {
    const std::string good = content();
    for (std::uint64_t offset = offset_of(4); offset < offset_of(5); offset += 3) {
        overwrite(offset, std::string(1, static_cast<char>(good[offset] ^ 0x40)));
        EXPECT_EQ(served(), "abcefghij") << offset;
        ASSERT_EQ(damage_.size(), 1u) << offset;
        EXPECT_EQ(damage_[0].offset, offset_of(4));
        EXPECT_EQ(next_, 11u);
        overwrite(offset, std::string(1, good[offset]));
    }
}

TEST_F(JournalDamage, ADamagedLastRecordIsReported) {
    overwrite(offset_of(10) + 40, "?");
    EXPECT_EQ(served(), "abcdefghi");
    EXPECT_EQ(damage_.size(), 1u);
}

TEST_F(JournalDamage, ZerosAfterAPowerLossAreCut) {
    overwrite(offset_of(10), std::string(5000, '\0'));
    EXPECT_EQ(served(), "abcdefghi");
    EXPECT_EQ(next_, 10u);
}

TEST_F(JournalDamage, AConsumersCursorKeepsNumbersFromBeingUsedTwice) {
    ASSERT_TRUE(open(directory_)->commit("records", 11));
    fs::resize_file(segment(), offset_of(8));
    EXPECT_EQ(served(), "abcdefg");
    EXPECT_EQ(next_, 11u);
    EXPECT_EQ(damage_.size(), 1u);
    auto journal = open(directory_);
    EXPECT_EQ(append(*journal, "new"), 11u);
    EXPECT_EQ(payloads(*journal, 8, 5), std::vector<std::string>{"new"});
}

TEST_F(JournalDamage, AnUnreadableHeaderDoesNotHideTheRecords) {
    overwrite(20, "????");
    EXPECT_EQ(served(), "abcdefghij");
    EXPECT_EQ(damage_.size(), 1u);
    auto journal = open(directory_);
    EXPECT_EQ(append(*journal, "new"), 11u) << "into a new segment";
    EXPECT_EQ(directory_.segments().size(), 2u);
    EXPECT_EQ(payloads(*journal, 10, 5).size(), 2u);
}

TEST_F(JournalDamage, RecordsOfAnotherJournalAreNotServed) {
    const TemporaryDirectory other;
    append(*open(other), "intruder");
    std::ifstream in(fs::path(other.path()) / segment_name(1), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), {});
    overwrite(offset_of(4), bytes.substr(64));
    EXPECT_EQ(served(), "abcefghij");
}

TEST_F(JournalDamage, ADamagedCursorFileStartsConsumersOver) {
    ASSERT_TRUE(open(directory_)->commit("records", 5));
    std::ofstream(fs::path(directory_.path()) / "cursors") << "stoker-cursors 1\nnonsense\n";
    EXPECT_EQ(served(), "abcdefghij");
    EXPECT_EQ(damage_.size(), 1u);
    EXPECT_EQ(open(directory_)->cursor("records"), 1u);
}

TEST_F(JournalDamage, DamageInAnOlderSegmentIsFoundWhenReading) {
    overwrite(offset_of(4) + 50, "?");
    {
        auto journal = open(directory_, {.segment_bytes = 1000});
        append(*journal, std::string(900, 'k'));
    }
    auto journal = open(directory_);
    EXPECT_TRUE(journal->damage().empty());
    EXPECT_EQ(payloads(*journal, 1, 100).size(), 10u);
    EXPECT_EQ(payloads(*journal, 1, 100).size(), 10u);
    EXPECT_EQ(journal->damage().size(), 1u) << "once";
}

TEST_F(JournalDamage, ANewerFormatIsRefused) {
    std::ifstream in(segment(), std::ios::binary);
    std::string header(64, '\0');
    in.read(header.data(), 64);
    header[8] = 2;
    const std::uint32_t crc = testing::crc(header.substr(0, 60));
    header.replace(60, 4, reinterpret_cast<const char*>(&crc), 4);
    overwrite(0, header);
    const auto journal = Journal::open(directory_.path(), {});
    ASSERT_FALSE(journal);
    EXPECT_EQ(journal.error().code, Errc::Conflict);
    EXPECT_NE(journal.error().message.find("version 2"), std::string::npos) << journal.error().message;
}

}  // namespace
}  // namespace stoker::journal
