// A reader's place in the journal: nothing twice, nothing left out, nothing of before its time.
#include "app/journal_place.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

namespace stoker::app {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

class Place : public testing::Test {
protected:
    Place() {
        fs::remove_all(folder_);
        fs::create_directories(folder_);
        journal_ = *journal::Journal::open((folder_ / "journal").string(), {});
        state_ = *state::StateStore::open((folder_ / "state.db").string());
    }
    ~Place() override { fs::remove_all(folder_); }

    void append(const std::string& text, journal::Kind kind = journal::Kind::Request) {
        ASSERT_TRUE(journal_->append(kind, text, from_millis(1)));
    }
    std::vector<std::string> read(JournalPlace& place, bool takes = true) {
        std::vector<std::string> texts;
        (void)place.read(100, [&](std::span<const journal::Record> records) -> Result<Unit> {
            for (const auto& record : records) texts.push_back(record.payload);
            if (!takes) return Error{Errc::Unavailable, "not now"};
            return Unit{};
        });
        return texts;
    }

    const fs::path folder_ = fs::path(testing::TempDir()) / ("journal_place_" + std::to_string(getpid()));
    std::unique_ptr<journal::Journal> journal_;
    std::unique_ptr<state::StateStore> state_;
};

TEST_F(Place, BeginsWithWhatComesNext) {
    append("before");
    JournalPlace place(*journal_, *state_, "test");
    append("one");
    append("incident", journal::Kind::Incident);
    append("two");
    EXPECT_THAT(read(place), ElementsAre("one", "two"));
    EXPECT_THAT(read(place), IsEmpty());
}

TEST_F(Place, IsRememberedByName) {
    {
        JournalPlace place(*journal_, *state_, "test");
        read(place);
        append("one");
        read(place);
        append("two");
    }
    JournalPlace other(*journal_, *state_, "other");
    EXPECT_THAT(read(other), IsEmpty());
    JournalPlace again(*journal_, *state_, "test");
    EXPECT_THAT(read(again), ElementsAre("two"));
}

TEST_F(Place, WhatWasNotTakenComesAgain) {
    JournalPlace place(*journal_, *state_, "test");
    read(place);
    append("one");
    EXPECT_THAT(read(place, false), ElementsAre("one"));
    EXPECT_THAT(read(place), ElementsAre("one"));
}

TEST_F(Place, ForgottenItBeginsAnew) {
    JournalPlace place(*journal_, *state_, "test");
    read(place);
    append("one");
    place.forget();
    EXPECT_THAT(read(place), IsEmpty());
    append("two");
    EXPECT_THAT(read(place), ElementsAre("two"));
}

}  // namespace
}  // namespace stoker::app
