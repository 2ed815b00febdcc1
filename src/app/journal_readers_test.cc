#include "app/journal_readers.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/id.h"

namespace stoker::app {
namespace {

TEST(JournalReaders, OnlyThoseOfThePrefixThatNobodyWantsAreForgotten) {
    const auto directory = std::filesystem::temp_directory_path() / ("stoker-readers-" + random_hex(8));
    auto opened = journal::Journal::open(directory, {});
    ASSERT_TRUE(opened) << opened.error().message;
    auto journal = *std::move(opened);
    for (const char* reader : {"kafka.a", "kafka.b", "webhook.b", "records"}) ASSERT_TRUE(journal->commit(reader, 1));
    forget_other_readers(*journal, "kafka.", {"kafka.a"});
    EXPECT_EQ(journal->consumers(), (std::vector<std::string>{"kafka.a", "records", "webhook.b"}));
    forget_other_readers(*journal, "webhook.", {});
    EXPECT_EQ(journal->consumers(), (std::vector<std::string>{"kafka.a", "records"}));
    journal.reset();
    std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace stoker::app
