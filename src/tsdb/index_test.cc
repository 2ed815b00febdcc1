#include "tsdb/index.h"

#include <gtest/gtest.h>
#include <re2/re2.h>

#include <algorithm>
#include <random>

namespace stoker::tsdb {
namespace {

using Op = Matcher::Op;

// What Prometheus' documentation says of matchers, one series at a time, with nothing but RE2.
bool naive_match(const Labels& labels, const Matcher& matcher) {
    const std::string value(labels.get(matcher.name));
    switch (matcher.op) {
        case Op::Equal:
            return value == matcher.value;
        case Op::NotEqual:
            return value != matcher.value;
        case Op::Regex:
            return RE2::FullMatch(value, matcher.value);
        case Op::NotRegex:
            return !RE2::FullMatch(value, matcher.value);
    }
    return false;
}

struct World {
    Index index;
    std::vector<std::pair<Labels, SeriesId>> series;
    std::vector<std::vector<LabelRef>> refs;

    void add(const Labels& labels, SeriesId id) {
        series.emplace_back(labels, id);
        refs.push_back(index.add(labels, id));
    }
    Postings select(const std::vector<Matcher>& matchers) const {
        auto compiled = compile_all(matchers);
        EXPECT_TRUE(compiled.has_value());
        return compiled ? index.select(*compiled) : Postings{};
    }
    Postings naive(const std::vector<Matcher>& matchers) const {
        Postings ids;
        for (const auto& [labels, id] : series) {
            if (std::all_of(matchers.begin(), matchers.end(),
                            [&](const Matcher& m) { return naive_match(labels, m); })) {
                ids.push_back(id);
            }
        }
        std::sort(ids.begin(), ids.end());
        return ids;
    }
};

TEST(Index, AgreesWithNaiveMatching) {
    const std::vector<std::string> values{"",        "a",  "b",        "ab",      "abc",  ".*",    ".+",
                                          "a|b",     "a|", "(a|b)",    "a.*",     "a.+",  "[ab]",  "a?",
                                          "(a)|(b)", "",   "x|ab|abc", "ab*",     "\\.",  "a\\.b", "a.b",
                                          "(?i)A",   "()", "b.*|a",    "a\\.b.*", "\\d+", "12"};
    const std::vector<std::string> stored{"", "a", "b", "ab", "abc", "a.b", "A", "12", ".", "a\nb", "(a)"};
    for (unsigned seed = 0; seed < 8; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937 random(seed);
        const auto pick = [&](const std::vector<std::string>& from) { return from[random() % from.size()]; };
        World world;
        std::vector<SeriesId> ids;
        for (SeriesId id = 1; id <= 200; ++id) {
            ids.push_back(id);
        }
        std::shuffle(ids.begin(), ids.begin() + 50, random);
        for (const SeriesId id : ids) {
            world.add(Labels{{"x", pick(stored)}, {"y", pick(stored)}, {"z", std::to_string(id % 3)}}, id);
        }
        for (std::size_t i = 0; i < 50; ++i) {
            const std::size_t victim = random() % world.series.size();
            world.index.remove(world.refs[victim], world.series[victim].second);
            world.series.erase(world.series.begin() + static_cast<std::ptrdiff_t>(victim));
            world.refs.erase(world.refs.begin() + static_cast<std::ptrdiff_t>(victim));
        }
        for (int i = 0; i < 200; ++i) {
            std::vector<Matcher> matchers;
            for (std::size_t n = random() % 4; n > 0; --n) {
                const std::vector<std::string> names{"x", "y", "z", "none"};
                // (?s) so that the naive side, too, lets a dot match a line feed.
                matchers.push_back({pick(names), static_cast<Op>(random() % 4), pick(values)});
            }
            std::vector<Matcher> naive = matchers;
            std::string shown;
            for (Matcher& matcher : naive) {
                shown +=
                    matcher.name + " " + std::to_string(static_cast<int>(matcher.op)) + " '" + matcher.value + "'; ";
                if (matcher.op == Op::Regex || matcher.op == Op::NotRegex) {
                    matcher.value = "(?s)" + matcher.value;
                }
            }
            ASSERT_EQ(world.select(matchers), world.naive(naive)) << shown;
        }
    }
}

TEST(Index, ForgetsNamesAndValuesThatNobodyHas) {
    Index index;
    const auto one = index.add(Labels{{"x", "1"}}, 1);
    const auto two = index.add(Labels{{"x", "2"}, {"y", "1"}}, 2);
    EXPECT_EQ(index.values("x"), (std::vector<std::string>{"1", "2"}));
    index.remove(two, 2);
    EXPECT_EQ(index.names(), std::vector<std::string>{"x"});
    EXPECT_EQ(index.values("x"), std::vector<std::string>{"1"});
    index.remove(one, 1);
    EXPECT_TRUE(index.names().empty());
    EXPECT_EQ(index.series(), 0U);
}

TEST(Matcher, BadRegexSaysWhichAndWhy) {
    const auto bad = CompiledMatcher::compile({"job", Op::Regex, "a("});
    ASSERT_FALSE(bad.has_value());
    EXPECT_EQ(bad.error().code, Errc::InvalidArgument);
    EXPECT_NE(bad.error().message.find("\"a(\" for label job"), std::string::npos) << bad.error().message;
}

TEST(Matcher, SimpleExpressionsNeverReachTheRegexEngine) {
    for (const std::string pattern : {"a", "a|b", "(a|b|c)", "", "a\\.b|c"}) {
        EXPECT_TRUE(CompiledMatcher::compile({"x", Op::Regex, pattern}).value_or({}).is_literal()) << pattern;
    }
    EXPECT_TRUE(CompiledMatcher::compile({"x", Op::Regex, ".*"}).value_or({}).is_anything());
    EXPECT_TRUE(CompiledMatcher::compile({"x", Op::Regex, ".+"}).value_or({}).is_nonempty());
}

TEST(Index, TextsStayWhileSomeoneHoldsAPin) {
    Index index;
    const std::string value(100, 'x');
    const auto refs = index.add({{"__name__", "up"}, {"long", value}}, 16);
    auto pin = index.pin();
    const std::uint64_t before = index.generation();
    index.remove(refs, 16);
    EXPECT_NE(index.generation(), before);
    EXPECT_EQ(index.names(), std::vector<std::string>());
    // More of them come and go, more than one grave takes.
    for (SeriesId id = 17; id < 5000; ++id) {
        const auto more = index.add({{"long", value + std::to_string(id)}}, id);
        index.remove(more, id);
    }
    EXPECT_EQ(*refs[1].name, "long");
    EXPECT_EQ(*refs[1].value, value);
    const auto again = index.add({{"long", value}}, 5000);
    EXPECT_NE(again[0].value, refs[1].value);
    pin = nullptr;  // Under ASan: all of them go, and nothing twice.
    EXPECT_EQ(*again[0].value, value);
}

}  // namespace
}  // namespace stoker::tsdb
