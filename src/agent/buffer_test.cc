#include "agent/buffer.h"

#include "agent/testing.h"

namespace stoker::agent {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Clocks;
using testing::metric;
using testing::open;
using testing::sample;
using testing::TemporaryFolder;

// One sample; its value is its number.
void put(Buffer& buffer, const Clocks& clocks, int number) {
    buffer.append({sample("m", clocks.now().wall, number)}, clocks.now());
}

std::string values(const Records& records) {
    std::string text;
    for (const auto& record : records) {
        for (const auto& one : record->request.samples) {
            text += (text.empty() ? "" : " ") + std::to_string(static_cast<int>(one.value));
        }
    }
    return text;
}

std::string read(Buffer& buffer, const Clocks& clocks, std::uint64_t from = 1, const std::string& reader = "a") {
    const auto got = buffer.read(reader, from, 1000, clocks.steady());
    EXPECT_TRUE(got) << (got ? "" : got.error().message);
    return got ? values(got->records) : "";
}

TEST(AgentBuffer, KeepsOrderAndPlacesOverARestart) {
    const TemporaryFolder folder;
    Clocks clocks;
    metrics::Registry registry;
    {
        const auto buffer = open(folder, clocks, registry);
        for (int i = 1; i <= 3; ++i) put(*buffer, clocks, i);
        ASSERT_TRUE(buffer->keep_place("a", 3));
    }
    const auto buffer = open(folder, clocks, registry);
    put(*buffer, clocks, 4);
    EXPECT_EQ(buffer->place("a"), 3u);
    EXPECT_EQ(read(*buffer, clocks, buffer->place("a")), "3 4");
    EXPECT_EQ(read(*buffer, clocks, buffer->place("b"), "b"), "1 2 3 4");  // New: everything there is.
}

TEST(AgentBuffer, ADestinationThatIsGoneIsForgotten) {
    const TemporaryFolder folder;
    Clocks clocks;
    metrics::Registry registry;
    {
        const auto buffer = open(folder, clocks, registry);
        for (int i = 1; i <= 3; ++i) put(*buffer, clocks, i);
        ASSERT_TRUE(buffer->keep_place("a", 3));
        ASSERT_TRUE(buffer->keep_place("b", 2));
        ASSERT_TRUE(buffer->keep_only({"a", "c"}));
        EXPECT_EQ(buffer->place("a"), 3u);
    }
    const auto buffer = open(folder, clocks, registry);
    EXPECT_EQ(buffer->place("a"), 3u);
    EXPECT_EQ(read(*buffer, clocks, buffer->place("b"), "b"), "1 2 3");  // As if it were new.
}

TEST(AgentBuffer, DropsWhatIsTooOldAndCountsIt) {
    const TemporaryFolder folder;
    Clocks clocks;
    metrics::Registry registry;
    const auto buffer = open(folder, clocks, registry, {.max_age = hours(6)});
    for (int i = 0; i < 8; ++i) {
        put(*buffer, clocks, i);
        clocks.pass(hours(1));
    }
    EXPECT_EQ(read(*buffer, clocks), "2 3 4 5 6 7");
    EXPECT_EQ(metric(registry, "stoker_agent_missed_records_total", "age"), 2);
}

TEST(AgentBuffer, AgeSurvivesARestart) {
    const TemporaryFolder folder;
    Clocks clocks;
    metrics::Registry registry;
    {
        const auto buffer = open(folder, clocks, registry);
        put(*buffer, clocks, 1);
        clocks.pass(hours(5));
        put(*buffer, clocks, 2);
    }
    clocks.pass(hours(2));
    const auto buffer = open(folder, clocks, registry, {.max_age = hours(6)});
    EXPECT_EQ(read(*buffer, clocks), "2");
}

TEST(AgentBuffer, AStepOfTheClockExpiresNothing) {
    for (const Duration step : {Duration(hours(24 * 365)), Duration(hours(-24 * 365))}) {
        const TemporaryFolder folder;
        Clocks clocks;
        metrics::Registry registry;
        const auto buffer = open(folder, clocks, registry, {.max_age = hours(6)});
        put(*buffer, clocks, 1);
        clocks.set_wall(step);
        put(*buffer, clocks, 2);
        clocks.pass(minutes(5));
        put(*buffer, clocks, 3);
        EXPECT_EQ(read(*buffer, clocks), "1 2 3");
        EXPECT_EQ(metric(registry, "stoker_agent_missed_records_total"), 0);
        clocks.pass(hours(7));  // Whatever the wall clock says.
        put(*buffer, clocks, 4);
        EXPECT_EQ(read(*buffer, clocks), "4");
    }
}

TEST(AgentBuffer, DropsTheOldestPastItsSizeAndCountsIt) {
    const TemporaryFolder folder;
    Clocks clocks;
    metrics::Registry registry;
    const auto buffer = open(folder, clocks, registry, {.max_bytes = 1 << 20});
    ASSERT_TRUE(buffer->keep_place("a", 1));
    std::vector<tsdb::SeriesSample> samples;
    for (int i = 0; i < 200; ++i) samples.push_back(sample("m" + std::to_string(i * 7919), clocks.now().wall, i));
    for (int i = 0; i < 2'000; ++i) {
        clocks.pass(seconds(1));
        buffer->append(samples, clocks.now());
        if (i % 10 == 0) buffer->tidy(clocks.now());
    }
    EXPECT_LT(buffer->bytes(), std::uint64_t{1} << 20 | 256 << 10);
    const auto got = buffer->read("a", 1, 5, clocks.steady());
    ASSERT_TRUE(got);
    ASSERT_FALSE(got->records.empty());
    const std::uint64_t first = got->records.front()->sequence;
    EXPECT_GT(first, 1u);
    EXPECT_EQ(metric(registry, "stoker_agent_missed_records_total", "size"), static_cast<double>(first - 1));
    // What is read once is counted once.
    ASSERT_TRUE(buffer->read("a", got->next, 5, clocks.steady()));
    EXPECT_EQ(metric(registry, "stoker_agent_missed_records_total", "size"), static_cast<double>(first - 1));
}

TEST(AgentBuffer, WhatAllHaveTakenGoes) {
    const TemporaryFolder folder;
    Clocks clocks;
    metrics::Registry registry;
    const auto buffer = open(folder, clocks, registry, {.max_bytes = 1 << 20});
    ASSERT_TRUE(buffer->keep_place("a", 1));
    std::vector<tsdb::SeriesSample> samples;
    for (int i = 0; i < 200; ++i) samples.push_back(sample("m" + std::to_string(i * 7919), clocks.now().wall, i));
    for (int i = 0; i < 1'000; ++i) {
        clocks.pass(seconds(1));
        buffer->append(samples, clocks.now());
        if (i % 20 != 0) continue;
        ASSERT_TRUE(buffer->keep_place("a", buffer->end()));
        buffer->tidy(clocks.now());
    }
    EXPECT_LT(buffer->bytes(), std::uint64_t{128} << 10);
    EXPECT_EQ(metric(registry, "stoker_agent_missed_records_total"), 0);
}

// The real files, but writes fail while the disk is said to be full.
class FullDisk final : public journal::FileSystem {
public:
    class Watched final : public journal::File {
    public:
        Watched(std::unique_ptr<journal::File> file, const bool& full) : file_(std::move(file)), full_(full) {}
        Result<Unit> write(std::string_view bytes) override {
            if (full_) return Error{Errc::ResourceExhausted, "no space left on device"};
            return file_->write(bytes);
        }
        Result<std::size_t> read_at(std::uint64_t offset, char* buffer, std::size_t count) const override {
            return file_->read_at(offset, buffer, count);
        }
        Result<Unit> sync() override { return file_->sync(); }
        Result<Unit> truncate(std::uint64_t size) override { return file_->truncate(size); }
        Result<std::uint64_t> size() const override { return file_->size(); }

    private:
        const std::unique_ptr<journal::File> file_;
        const bool& full_;
    };

    Result<std::unique_ptr<journal::File>> open_append(const std::string& path) override {
        TRY(auto file, real_.open_append(path));
        return std::unique_ptr<journal::File>(std::make_unique<Watched>(std::move(file), full));
    }
    Result<std::unique_ptr<journal::File>> open_read(const std::string& path) override { return real_.open_read(path); }
    Result<Unit> rename(const std::string& from, const std::string& to) override { return real_.rename(from, to); }
    Result<Unit> remove(const std::string& path) override { return real_.remove(path); }
    Result<Unit> make_directory(const std::string& path) override { return real_.make_directory(path); }
    Result<std::vector<std::string>> list(const std::string& directory) override { return real_.list(directory); }
    Result<Unit> sync_directory(const std::string& path) override { return real_.sync_directory(path); }
    Result<std::unique_ptr<journal::File>> lock(const std::string& path) override { return real_.lock(path); }

    bool full = false;

private:
    journal::FileSystem& real_ = journal::real_file_system();
};

TEST(AgentBuffer, AFullDiskLosesOnlyWhatComesMeanwhile) {
    const TemporaryFolder folder;
    Clocks clocks;
    metrics::Registry registry;
    FullDisk disk;
    auto opened = Buffer::open(folder.path(), {}, clocks.now(), registry, disk);
    ASSERT_TRUE(opened);
    Buffer& buffer = **opened;
    put(buffer, clocks, 1);
    disk.full = true;
    put(buffer, clocks, 2);
    put(buffer, clocks, 3);
    EXPECT_EQ(read(buffer, clocks), "1");  // Sending goes on.
    EXPECT_EQ(metric(registry, "stoker_agent_unbuffered_records_total"), 2);
    EXPECT_FALSE(buffer.health());
    disk.full = false;
    buffer.tidy(clocks.now());
    put(buffer, clocks, 4);
    EXPECT_EQ(read(buffer, clocks), "1 4");
    EXPECT_EQ(metric(registry, "stoker_agent_missed_records_total"), 0);
}

}  // namespace
}  // namespace stoker::agent
