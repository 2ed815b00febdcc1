// The journal on a disk that fails: every operation that it does, failed once, one after another.
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "journal/file_system.h"
#include "journal/testing.h"

namespace stoker::journal {
namespace {

using testing::payloads;
using testing::TemporaryDirectory;

// The real files, except that the nth operation (and, if it is to stay broken, every later one) fails. A write that
// fails leaves half of its bytes behind.
class FaultyFileSystem final : public FileSystem {
public:
    struct Plan {
        int fail_at = 0;  // From 1; 0 for never.
        bool stays = false;
        Errc code = Errc::Unavailable;
        std::string only;  // Only this operation counts; empty: all.
    };

    void arm(Plan plan) {
        plan_ = std::move(plan);
        count_ = 0;
    }
    void repair() { plan_ = {}; }
    int count() const { return count_; }

    bool fails(std::string_view operation) {
        if (!plan_.only.empty() && operation != plan_.only) return false;
        ++count_;
        return plan_.fail_at != 0 && (count_ == plan_.fail_at || (plan_.stays && count_ > plan_.fail_at));
    }
    Error error(std::string_view operation) const {
        return {plan_.code, "injected fault in " + std::string(operation)};
    }

    Result<std::unique_ptr<File>> open_append(const std::string& path) override;
    Result<std::unique_ptr<File>> open_read(const std::string& path) override;
    Result<Unit> rename(const std::string& from, const std::string& to) override {
        if (fails("rename")) return error("rename");
        return real_.rename(from, to);
    }
    Result<Unit> remove(const std::string& path) override {
        if (fails("remove")) return error("remove");
        return real_.remove(path);
    }
    Result<Unit> make_directory(const std::string& path) override {
        if (fails("make_directory")) return error("make_directory");
        return real_.make_directory(path);
    }
    Result<std::vector<std::string>> list(const std::string& directory) override {
        if (fails("list")) return error("list");
        return real_.list(directory);
    }
    Result<Unit> sync_directory(const std::string&) override {
        if (fails("sync_directory")) return error("sync_directory");
        return Unit{};
    }
    Result<std::unique_ptr<File>> lock(const std::string& path) override { return real_.lock(path); }

private:
    FileSystem& real_ = real_file_system();
    Plan plan_;
    int count_ = 0;
};

class FaultyFile final : public File {
public:
    FaultyFile(std::unique_ptr<File> real, FaultyFileSystem& faults) : real_(std::move(real)), faults_(faults) {}

    Result<Unit> write(std::string_view bytes) override {
        if (!faults_.fails("write")) return real_->write(bytes);
        EXPECT_TRUE(real_->write(bytes.substr(0, bytes.size() / 2)));
        return faults_.error("write");
    }
    Result<std::size_t> read_at(std::uint64_t offset, char* buffer, std::size_t count) const override {
        if (faults_.fails("read")) return faults_.error("read");
        return real_->read_at(offset, buffer, count);
    }
    Result<Unit> sync() override {
        if (faults_.fails("sync")) return faults_.error("sync");
        return Unit{};  // Nothing here cuts the power; a real sync would only take time.
    }
    Result<Unit> truncate(std::uint64_t size) override {
        if (faults_.fails("truncate")) return faults_.error("truncate");
        return real_->truncate(size);
    }
    Result<std::uint64_t> size() const override {
        if (faults_.fails("size")) return faults_.error("size");
        return real_->size();
    }

private:
    std::unique_ptr<File> real_;
    FaultyFileSystem& faults_;
};

Result<std::unique_ptr<File>> FaultyFileSystem::open_append(const std::string& path) {
    if (fails("open_append")) return error("open_append");
    TRY(auto file, real_.open_append(path));
    return std::unique_ptr<File>(std::make_unique<FaultyFile>(std::move(file), *this));
}

Result<std::unique_ptr<File>> FaultyFileSystem::open_read(const std::string& path) {
    if (fails("open_read")) return error("open_read");
    TRY(auto file, real_.open_read(path));
    return std::unique_ptr<File>(std::make_unique<FaultyFile>(std::move(file), *this));
}

// A life of a journal: open, 12 appends over several segments, commits, retention. Returns what was acknowledged.
std::map<std::uint64_t, std::string> live(const std::string& directory, FaultyFileSystem& files,
                                          Durability durability) {
    std::map<std::uint64_t, std::string> acknowledged;
    auto journal = Journal::open(directory, {.segment_bytes = 300, .durability = durability}, files);
    if (!journal) return acknowledged;
    for (int i = 0; i < 12; ++i) {
        const std::string payload = "payload " + std::to_string(i);
        if (auto sequence = (*journal)->append(Kind::Audit, payload, from_millis(i))) acknowledged[*sequence] = payload;
        if (i % 4 == 3) {
            (void)(*journal)->commit("reader", (*journal)->next_sequence());
            (void)(*journal)->sync();
            (*journal)->enforce_retention(from_millis(i));
        }
    }
    return acknowledged;
}

void expect_all_served(const TemporaryDirectory& directory, const std::map<std::uint64_t, std::string>& acknowledged,
                       const std::string& what) {
    auto journal = testing::open(directory);
    ASSERT_TRUE(journal) << what;
    for (const auto& [sequence, payload] : acknowledged) {
        EXPECT_EQ(payloads(*journal, sequence, 1), std::vector<std::string>{payload})
            << what << ", record " << sequence;
    }
    EXPECT_NE(testing::append(*journal, "after"), 0u) << what;
}

TEST(JournalFaults, NothingAcknowledgedIsLostWhicheverOperationFails) {
    for (const Durability durability : {Durability::Process, Durability::Fsync}) {
        FaultyFileSystem files;
        int operations = 0;
        {
            const TemporaryDirectory directory;
            files.arm({});
            EXPECT_EQ(live(directory.path(), files, durability).size(), 12u);
            operations = files.count();
        }
        for (const bool stays : {false, true}) {
            for (const Errc code : {Errc::Unavailable, Errc::ResourceExhausted}) {
                for (int fail_at = 1; fail_at <= operations; ++fail_at) {
                    const TemporaryDirectory directory;
                    files.arm({.fail_at = fail_at, .stays = stays, .code = code, .only = ""});
                    const auto acknowledged = live(directory.path(), files, durability);
                    files.repair();
                    expect_all_served(directory, acknowledged, "operation " + std::to_string(fail_at));
                }
            }
        }
    }
}

TEST(JournalFaults, AfterAFailedWriteAppendsAreRefusedAndReadsGoOn) {
    const TemporaryDirectory directory;
    FaultyFileSystem files;
    auto journal = Journal::open(directory.path(), {}, files);
    ASSERT_TRUE(journal);
    EXPECT_EQ(testing::append(**journal, "kept"), 1u);
    files.arm({.fail_at = 1, .stays = false, .code = Errc::Unavailable, .only = "write"});

    EXPECT_EQ((*journal)->append(Kind::Audit, "lost", from_millis(1)).error().code, Errc::Unavailable);
    EXPECT_EQ((*journal)->append(Kind::Audit, "refused", from_millis(1)).error().code, Errc::Unavailable);
    EXPECT_FALSE((*journal)->health());
    EXPECT_EQ(payloads(**journal, 1, 10), std::vector<std::string>{"kept"});
    (*journal)->enforce_retention(from_millis(1));
    EXPECT_FALSE((*journal)->health()) << "a broken disk does not mend by itself";
}

TEST(JournalFaults, AFullDiskIsSaidSoAndAppendsComeBackWithSpace) {
    const TemporaryDirectory directory;
    FaultyFileSystem files;
    auto journal = Journal::open(directory.path(), {}, files);
    ASSERT_TRUE(journal);
    EXPECT_EQ(testing::append(**journal, "first"), 1u);
    files.arm({.fail_at = 1, .stays = true, .code = Errc::ResourceExhausted, .only = "write"});
    EXPECT_EQ((*journal)->append(Kind::Audit, "lost", from_millis(1)).error().code, Errc::ResourceExhausted);
    EXPECT_EQ((*journal)->health().error().code, Errc::ResourceExhausted);

    files.repair();
    (*journal)->enforce_retention(from_millis(1));
    EXPECT_TRUE((*journal)->health());
    EXPECT_EQ(testing::append(**journal, "second"), 2u);
    EXPECT_EQ(payloads(**journal, 1, 10), (std::vector<std::string>{"first", "second"}));
}

TEST(JournalFaults, AFailedSyncIsNeverForgotten) {
    const TemporaryDirectory directory;
    FaultyFileSystem files;
    auto journal = Journal::open(directory.path(), {.durability = Durability::Fsync}, files);
    ASSERT_TRUE(journal);
    files.arm({.fail_at = 1, .stays = false, .code = Errc::ResourceExhausted, .only = "sync"});
    EXPECT_FALSE((*journal)->append(Kind::Audit, "unsure", from_millis(1)));
    (*journal)->enforce_retention(from_millis(1));
    EXPECT_FALSE((*journal)->append(Kind::Audit, "refused", from_millis(1)));
}

}  // namespace
}  // namespace stoker::journal
