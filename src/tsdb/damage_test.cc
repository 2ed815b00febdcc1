// Damage to the files: found, named, and the rest is served.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tsdb/store_fixture.h"

namespace stoker::tsdb {
namespace {

using testing::at;
using testing::content;
using testing::Content;
using testing::TestStore;

constexpr std::int64_t kStart = 1'700'000'000'000;
constexpr std::int64_t kHour = 3'600'000;

void flip(const std::filesystem::path& file, std::uintmax_t at) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(at));
    const char byte = static_cast<char>(stream.get() ^ 0x10);
    stream.seekp(static_cast<std::streamoff>(at));
    stream.put(byte);
}

std::vector<std::filesystem::path> files_of(const std::string& folder, const std::string& ending) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (entry.is_regular_file() && entry.path().filename().string().find(ending) != std::string::npos) {
            files.push_back(entry.path());
        }
    }
    std::sort(files.begin(), files.end());
    return files;
}

// 200 series of noise over three days, all of it on disk.
void fill(TestStore& store) {
    for (std::int64_t i = 0; i < 72; ++i) {
        std::vector<SeriesSample> batch;
        for (int s = 0; s < 200; ++s) {
            const double noise = static_cast<double>((i * 7919 + s * 104'729) % 1'000'003) / 7;
            batch.push_back(at("m" + std::to_string(s), kStart + i * kHour, noise));
        }
        store.append(batch);
    }
    store.maintain(kStart + 72 * kHour);
    store.maintain(kStart + 80 * kHour);  // Seals, writes, flushes.
}

// Every sample that is served was written, whatever is missing.
std::size_t count_checked(const Content& found, const Content& written) {
    std::size_t count = 0;
    for (const auto& [name, samples] : found) {
        const auto known = written.find(name);
        EXPECT_NE(known, written.end()) << name;
        if (known == written.end()) {
            continue;
        }
        EXPECT_TRUE(std::includes(known->second.begin(), known->second.end(), samples.begin(), samples.end())) << name;
        count += samples.size();
    }
    return count;
}

std::size_t count_of(const Content& all) {
    std::size_t count = 0;
    for (const auto& [name, samples] : all) {
        count += samples.size();
    }
    return count;
}

TEST(Damage, AFlippedBitInAnyTableCostsOnlyItsBlockAndIsNamed) {
    TestStore store;
    fill(store);
    const Content written = content(*store);
    store.close();
    const auto tables = files_of(store.path(), ".sst");
    ASSERT_FALSE(tables.empty());
    testing::TempFolder whole;
    std::filesystem::copy(store.path(), whole.path(),
                          std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
    int lost_some = 0;
    for (const auto& table : tables) {
        const auto size = std::filesystem::file_size(table);
        for (int part = 0; part < 8; ++part) {
            SCOPED_TRACE(table.filename().string() + " part " + std::to_string(part));
            const auto place = size * static_cast<std::uintmax_t>(part) / 8 + 11;
            if (place >= size) {
                continue;
            }
            flip(table, place);
            store.reopen();
            const Content found = content(*store);
            const std::size_t count = count_checked(found, written);
            if (count < count_of(written)) {
                ++lost_some;
                EXPECT_FALSE(store->damage().empty());
                EXPECT_FALSE(store->health().has_value());
            }
            EXPECT_TRUE(store->append({at("m0", kStart + 100 * kHour, 1), at("other", kStart, 1)}).has_value());
            EXPECT_TRUE(store->maintain(from_millis(kStart + 81 * kHour)).has_value());
            store.close();
            std::filesystem::remove_all(store.path());
            std::filesystem::copy(whole.path(), store.path(), std::filesystem::copy_options::recursive);
        }
    }
    EXPECT_GT(lost_some, 0);
    store.reopen();
    EXPECT_EQ(content(*store), written);
    EXPECT_TRUE(store->health().has_value());
}

TEST(Damage, OneBlockOfChunksLeavesMostSeriesWhole) {
    TestStore store;
    fill(store);
    const Content written = content(*store);
    store.close();
    const auto tables = files_of(store.path(), ".sst");
    const auto largest = *std::max_element(tables.begin(), tables.end(), [](const auto& a, const auto& b) {
        return std::filesystem::file_size(a) < std::filesystem::file_size(b);
    });
    flip(largest, std::filesystem::file_size(largest) / 3);
    store.reopen();
    const Content found = content(*store);
    EXPECT_GT(count_checked(found, written), count_of(written) / 2);
    EXPECT_LT(count_of(found), count_of(written));
    bool said = false;
    const auto all = store->select({}, testing::kMinTime, testing::kMaxTime, 0);
    ASSERT_TRUE(all.has_value());
    for (const auto& series : *all) {
        auto samples = series->samples();
        while (!samples->next_block().samples.empty()) {
        }
        said = said || !samples->status();
    }
    EXPECT_TRUE(said);
    ASSERT_FALSE(store->damage().empty());
    EXPECT_NE(store->damage()[0].where.find("chunks"), std::string::npos);
    EXPECT_NE(store->damage()[0].what.find(largest.filename().string()), std::string::npos) << store->damage()[0].what;
}

TEST(Damage, ALostManifestIsPutTogetherAnew) {
    TestStore store;
    fill(store);
    const Content written = content(*store);
    store.close();
    for (const auto& manifest : files_of(store.path(), "MANIFEST")) {
        flip(manifest, 20);
    }
    store.reopen();
    EXPECT_EQ(content(*store), written);
    EXPECT_FALSE(store->damage().empty());
    EXPECT_TRUE(store->append({at("m0", kStart + 100 * kHour, 1)}).has_value());
}

}  // namespace
}  // namespace stoker::tsdb
