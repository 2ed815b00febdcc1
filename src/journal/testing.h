// Verbs of the journal's tests: open, append, read back, in a folder that goes away.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/id.h"
#include "journal/crc32c.h"
#include "journal/format.h"
#include "journal/journal.h"

namespace stoker::journal::testing {

class TemporaryDirectory {
public:
    TemporaryDirectory() : path_(std::filesystem::temp_directory_path() / ("stoker-journal-" + random_hex(8))) {
        std::filesystem::create_directories(path_);
    }
    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    std::string path() const { return path_.string(); }

    // Names of the segment files.
    std::vector<std::string> segments() const {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(path_)) {
            if (sequence_of_segment(entry.path().filename().string()) != 0) names.push_back(entry.path().filename());
        }
        return names;
    }

private:
    std::filesystem::path path_;
};

inline std::unique_ptr<Journal> open(const TemporaryDirectory& directory, Options options = {}) {
    auto journal = Journal::open(directory.path(), options);
    EXPECT_TRUE(journal) << (journal ? "" : journal.error().message);
    return journal ? *std::move(journal) : nullptr;
}

// The sequence, 0 if it was refused.
inline std::uint64_t append(Journal& journal, std::string_view payload, Timestamp time = from_millis(1)) {
    return journal.append(Kind::Request, payload, time).value_or(0);
}

// Payloads of up to `most` records from `from`, over as many reads as it takes.
inline std::vector<std::string> payloads(Journal& journal, std::uint64_t from, std::size_t most) {
    std::vector<std::string> out;
    while (out.size() < most) {
        auto records = journal.read(from, most - out.size());
        EXPECT_TRUE(records) << (records ? "" : records.error().message);
        if (!records || records->empty()) break;
        for (Record& record : *records) {
            from = record.sequence + 1;
            out.push_back(std::move(record.payload));
        }
    }
    return out;
}

inline std::uint32_t crc(std::string_view bytes) {
    return crc32c(bytes);
}

}  // namespace stoker::journal::testing
