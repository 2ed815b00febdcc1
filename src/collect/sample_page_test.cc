#include "collect/sample_page.h"

#include <gtest/gtest.h>

#include "collect/testing.h"

namespace stoker::collect {
namespace {

constexpr MetricFamily kHeat{"heat", MetricType::Gauge, "How warm it is."};
constexpr MetricFamily kTurns{"turns_total", MetricType::Counter, "How often it turned."};

// Remembers all batches as text, and metadata.
class Recorder : public SampleSink {
public:
    void append(const std::vector<tsdb::SeriesSample>& samples) override {
        for (const auto& sample : samples) {
            lines.push_back(sample.labels.text() + " " + testing::show(sample.sample.value) + " @" +
                            std::to_string(sample.sample.time));
        }
    }
    void set_metadata(const std::vector<tsdb::FamilyMetadata>& metadata) override {
        for (const auto& family : metadata) {
            described.push_back(family.family + " " + family.metadata.type + " " + family.metadata.help);
        }
    }
    std::vector<std::string> take() { return std::exchange(lines, {}); }

    std::vector<std::string> lines;
    std::vector<std::string> described;
};

// One round at `time` that gives a heat for each of `rooms`.
std::vector<std::string> round_of(SamplePage& page, Recorder& sink, std::int64_t time, const std::string& rooms) {
    page.begin(from_millis(time));
    for (const char room : rooms) page.add(kHeat, {{"room", std::string(1, room)}}, static_cast<double>(time));
    page.finish(sink);
    return sink.take();
}

TEST(SamplePage, AddsWhatAllHaveInCommonAndLeavesEmptyLabelsOut) {
    SamplePage page(SampleBatch::Pairs{{"job", "node"}});
    Recorder sink;
    page.begin(from_millis(7));
    page.add(kHeat, {{"room", "a"}, {"floor", ""}}, 1.5);
    page.add(kTurns, 2);
    page.finish(sink);
    EXPECT_EQ(sink.take(),
              (std::vector<std::string>{R"(heat{job="node",room="a"} 1.5 @7)", R"(turns_total{job="node"} 2 @7)"}));
    EXPECT_EQ(sink.described,
              (std::vector<std::string>{"heat gauge How warm it is.", "turns_total counter How often it turned."}));
    page.begin(from_millis(8));
    page.add(kTurns, 3);
    page.finish(sink);
    EXPECT_EQ(sink.described.size(), 2u);  // Said once.
}

TEST(SamplePage, EveryRoundIsWholeAndWhatIsGoneIsMarked) {
    struct Case {
        std::string before;
        std::string after;
        std::string gone;
    };
    const std::vector<Case> cases = {{"ab", "ab", ""},   {"abc", "ac", "b"}, {"ac", "abc", ""},   {"abc", "cba", ""},
                                     {"abc", "", "abc"}, {"", "ab", ""},     {"abcd", "ba", "cd"}};
    for (const Case& one : cases) {
        SamplePage page;
        Recorder sink;
        round_of(page, sink, 1, one.before);
        std::vector<std::string> wanted;
        for (const char room : one.after) wanted.push_back(std::string("heat{room=\"") + room + "\"} 2 @2");
        for (const char room : one.gone) wanted.push_back(std::string("heat{room=\"") + room + "\"} stale @2");
        EXPECT_EQ(round_of(page, sink, 2, one.after), wanted) << one.before << " -> " << one.after;
        // Marked once.
        wanted.clear();
        for (const char room : one.after) wanted.push_back(std::string("heat{room=\"") + room + "\"} 3 @3");
        EXPECT_EQ(round_of(page, sink, 3, one.after), wanted) << one.before << " -> " << one.after;
    }
}

TEST(SamplePage, SeriesThatDifferOnlyWhereTheirTextsEndAreDifferent) {
    SamplePage page;
    Recorder sink;
    page.begin(from_millis(1));
    page.add(kHeat, {{"a", "bc"}}, 1);
    page.finish(sink);
    sink.take();
    page.begin(from_millis(2));
    page.add(kHeat, {{"ab", "c"}}, 2);
    page.finish(sink);
    EXPECT_EQ(sink.take(), (std::vector<std::string>{R"(heat{ab="c"} 2 @2)", R"(heat{a="bc"} stale @2)"}));
}

}  // namespace
}  // namespace stoker::collect
