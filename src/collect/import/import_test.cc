#include "collect/import/import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "collect/push/push_fixture.h"
#include "wire/compression.h"

namespace stoker::collect {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Contents = std::map<std::string, std::string>;

class ImportTest : public ::testing::Test {
protected:
    ImportSummary run(const std::string& text, const ImportOptions& options = {}) {
        std::istringstream in(text);
        auto summary = import_stream(in, *store_, options);
        EXPECT_TRUE(summary.has_value()) << (summary ? "" : summary.error().message);
        return summary ? *summary : ImportSummary{};
    }
    Contents stored() { return testing::contents(*store_); }

    tsdb::testing::TestStore store_{{.future_window = Duration{0}}};
};

TEST_F(ImportTest, PrometheusTextInMilliseconds) {
    const auto summary = run(
        "# TYPE a gauge\n# HELP a Help.\na{x=\"1\"} 1 1700000000000\na{x=\"1\"} 2 1700000015000\n\nb 3 1600000000000");
    EXPECT_EQ(summary.samples, 3u);
    EXPECT_EQ(summary.lines, 6u);
    EXPECT_EQ(summary.oldest_time, 1600000000000);
    EXPECT_EQ(summary.newest_time, 1700000015000);
    EXPECT_EQ(stored(), (Contents{{R"(a{x="1"})", "1@1700000000000 2@1700000015000"}, {"b", "3@1600000000000"}}));
    ASSERT_EQ(store_->metadata("a").size(), 1u);
    EXPECT_EQ(store_->metadata("a")[0].metadata.help, "Help.");
}

TEST_F(ImportTest, OpenMetricsInSeconds) {
    for (const char* first : {"a_total 1 1700000000\n", "a_total 1 1700000000.5\n"}) {
        run(std::string("# TYPE a counter\n") + first + "a_total 2 1700000015 # {t=\"x\"} 1\n# EOF\n");
    }
    EXPECT_EQ(stored(), (Contents{{"a_total", "1@1700000000000 1@1700000000500 2@1700000015000"}}));
}

TEST_F(ImportTest, OpenMetricsMustEnd) {
    const auto error = [&](const std::string& text, ImportFormat format = ImportFormat::Auto) {
        std::istringstream in(text);
        auto summary = import_stream(in, *store_, {.format = format});
        return summary ? "none" : summary.error().message;
    };
    EXPECT_THAT(error("a 1 1700000000\na 2 1700000015\n"), HasSubstr("line 2: OpenMetrics ends with \"# EOF\""));
    EXPECT_THAT(error("", ImportFormat::OpenMetrics), HasSubstr("line 0"));
    EXPECT_EQ(error("a 1 1700000000\n# EOF"), "none");
    EXPECT_EQ(error("a 1 1700000000000\n"), "none") << "the older format has no end";
    EXPECT_EQ(error("{{{\na 1 1700000000000\n"), "none") << "a bad first line says nothing of the format";
    const auto summary = run("a 1 1700000000\n# EOF\na 2 1700000015\n");
    EXPECT_EQ(summary.refused, (std::map<std::string, std::uint64_t>{{"bad_line", 1}}));
}

TEST_F(ImportTest, WhatWouldNotBeKeptIsCounted) {
    const auto summary = run("a 1 1700000000000\na 2 1700000015000\n", {.oldest_time = 1700000015000});
    EXPECT_EQ(summary.samples, 1u);
    EXPECT_EQ(summary.refused, (std::map<std::string, std::uint64_t>{{"past_retention", 1}}));
    EXPECT_THAT(summary.first_problems, ElementsAre(HasSubstr("line 1: past_retention")));
}

TEST_F(ImportTest, CompressedFiles) {
    const std::string text = "a 1 1700000000000\na 2 1700000001000\n";
    EXPECT_EQ(run(wire::gzip_compress(text)).samples, 2u);
    EXPECT_EQ(run(wire::zstd_compress(text)).duplicates, 2u);
    // So dense that the last of the text comes out long after the last of the file went in.
    std::string dense;
    for (int i = 0; i < 100'000; ++i) dense += "a 1 1700000000000\n";
    EXPECT_EQ(run(wire::gzip_compress(dense)).duplicates, 100'000u);
    EXPECT_EQ(run(wire::zstd_compress(dense, 19)).duplicates, 100'000u);
    std::istringstream cut(wire::gzip_compress(text).substr(0, 20));
    EXPECT_EQ(import_stream(cut, *store_).error().code, Errc::InvalidArgument);
}

TEST_F(ImportTest, BadLinesAreCountedAndQuoted) {
    const auto summary = run("a 1 1700000000000\nb{ 2 1700000000000\nc 3\na 5 1700000000000\n# free comment\n" +
                                 std::string(300, 'x') + " 1 1\nd 4 1700000000000\n",
                             {.max_line_bytes = 200});
    EXPECT_EQ(summary.samples, 2u);
    EXPECT_EQ(summary.refused, (std::map<std::string, std::uint64_t>{
                                   {"bad_line", 1}, {"no_timestamp", 1}, {"line_too_long", 1}, {"conflict", 1}}));
    EXPECT_THAT(summary.first_problems,
                ElementsAre(HasSubstr("line 2: bad_line: column"), HasSubstr("line 3: no_timestamp"),
                            HasSubstr("line 6: line_too_long"), HasSubstr("line 4: conflict: a")));
}

TEST_F(ImportTest, ALongFileComesInBatches) {
    std::string text;
    for (int i = 0; i < 50'000; ++i) {
        text += "m{i=\"" + std::to_string(i % 10) + "\"} " + std::to_string(i) + " " +
                std::to_string(1700000000000 + i) + "\n";
    }
    std::uint64_t calls = 0;
    std::istringstream in(wire::zstd_compress(text));
    auto summary = import_stream(in, *store_, {.batch_samples = 1000, .labels = {{"source", "file"}}},
                                 [&](const ImportProgress&) { return ++calls > 0; });
    ASSERT_TRUE(summary.has_value());
    EXPECT_EQ(summary->samples, 50'000u);
    EXPECT_EQ(calls, 51u);
    EXPECT_TRUE(stored().contains(R"(m{i="3",source="file"})"));
    std::istringstream again(text);
    EXPECT_EQ(import_stream(again, *store_, {.batch_samples = 1000}, [](const ImportProgress&) { return false; })
                  .error()
                  .code,
              Errc::Cancelled);
}

// What was there before live data came, after live data of other series has come.
TEST_F(ImportTest, HistoryOfNewSeriesIsTakenAtAnyAge) {
    run("live 1 1700000000000\n");
    const auto summary = run("old 1 1699000000000\nold 2 1699000015000\n");
    EXPECT_EQ(summary.samples, 2u);
    EXPECT_EQ(import_file("/nonexistent/file", *store_).error().code, Errc::NotFound);
}

}  // namespace
}  // namespace stoker::collect
