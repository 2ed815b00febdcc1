// Exemplars, metadata and cardinality.
#include <gtest/gtest.h>

#include "tsdb/exemplars.h"
#include "tsdb/store_fixture.h"

namespace stoker::tsdb {
namespace {

using testing::at;
using testing::TestStore;

constexpr std::int64_t kStart = 1'700'000'000'000;

Exemplar exemplar(std::int64_t time, double value = 1) {
    return {Labels{{"trace_id", "t" + std::to_string(time)}}, value, time};
}
Matcher is(const std::string& name, const std::string& value) {
    return {name, Matcher::Op::Equal, value};
}
std::vector<std::int64_t> times_of(const ExemplarRing& ring, SeriesId id) {
    std::vector<std::int64_t> times;
    for (const Exemplar& one : ring.of(id, testing::kMinTime, testing::kMaxTime)) {
        times.push_back(one.time);
    }
    return times;
}

TEST(ExemplarRing, TakesOnlyNewerOnesOfASeries) {
    ExemplarRing ring(10);
    EXPECT_EQ(ring.add(1, exemplar(10)), ExemplarRing::Verdict::Stored);
    EXPECT_EQ(ring.add(1, exemplar(10)), ExemplarRing::Verdict::Duplicate);
    EXPECT_EQ(ring.add(1, exemplar(10, 2)), ExemplarRing::Verdict::TooOld);
    EXPECT_EQ(ring.add(1, exemplar(9)), ExemplarRing::Verdict::TooOld);
    EXPECT_EQ(ring.add(2, exemplar(9)), ExemplarRing::Verdict::Stored);
    EXPECT_EQ(ring.of(1, 11, 20).size(), 0U);
    EXPECT_EQ(ring.of(1, 10, 10).size(), 1U);
}

TEST(ExemplarRing, TheOldestOfAllMakesRoom) {
    ExemplarRing ring(4);
    for (std::int64_t i = 0; i < 50; ++i) {
        ring.add(static_cast<SeriesId>(i % 3), exemplar(i));
        ASSERT_LE(ring.size(), 4U);
    }
    EXPECT_EQ(times_of(ring, 46 % 3), (std::vector<std::int64_t>{46, 49}));
    EXPECT_EQ(times_of(ring, 47 % 3), (std::vector<std::int64_t>{47}));
    EXPECT_EQ(times_of(ring, 48 % 3), (std::vector<std::int64_t>{48}));
}

TEST(ExemplarRing, ComesBackUnderItsNumbers) {
    ExemplarRing before(5);
    for (std::int64_t i = 0; i < 13; ++i) {
        before.add(static_cast<SeriesId>(i % 2), exemplar(i));
    }
    ExemplarRing after(5);
    const std::uint64_t next = before.each_since(
        0, [&](std::uint64_t number, SeriesId id, const Exemplar& one) { after.restore(number, id, one); });
    EXPECT_EQ(times_of(after, 0), times_of(before, 0));
    EXPECT_EQ(times_of(after, 1), times_of(before, 1));
    EXPECT_EQ(after.each_since(next, [](std::uint64_t, SeriesId, const Exemplar&) { FAIL(); }), next);
    ExemplarRing none(0);
    EXPECT_EQ(none.add(1, exemplar(1)), ExemplarRing::Verdict::Off);
}

TEST(StoreExemplars, AreFoundBySelectorsAndOutliveRestarts) {
    TestStore store;
    store.append({at("a", kStart, 1), at("b", kStart, 1), at("c", kStart, 1)});
    const auto stored = store->append_exemplars({{Labels{{"__name__", "a"}}, {exemplar(kStart), exemplar(kStart + 1)}},
                                                 {Labels{{"__name__", "b"}}, {exemplar(kStart + 2)}},
                                                 {Labels{{"__name__", "unknown"}}, {exemplar(kStart)}}});
    ASSERT_TRUE(stored.has_value());
    EXPECT_EQ(*stored, 3U);
    const auto check = [&] {
        const auto of_a = store->exemplars({{is("__name__", "a")}}, kStart, kStart + 10);
        ASSERT_TRUE(of_a.has_value());
        ASSERT_EQ(of_a->size(), 1U);
        EXPECT_EQ(of_a->front().exemplars, (std::vector<Exemplar>{exemplar(kStart), exemplar(kStart + 1)}));
        const auto of_all = store->exemplars({{is("__name__", "b")}, {is("__name__", "a")}}, kStart + 1, kStart + 10);
        ASSERT_TRUE(of_all.has_value());
        ASSERT_EQ(of_all->size(), 2U);
        EXPECT_EQ(of_all->front().exemplars.size(), 1U);
        EXPECT_FALSE(store->exemplars({{{"a", Matcher::Op::Regex, "("}}}, 0, 1).has_value());
    };
    check();
    store.reopen();  // From the log.
    check();
    EXPECT_EQ(*store->append_exemplars({{Labels{{"__name__", "a"}}, {exemplar(kStart + 1)}}}), 1U) << "the same again";
    EXPECT_EQ(*store->append_exemplars({{Labels{{"__name__", "a"}}, {exemplar(kStart)}}}), 0U) << "older";
    store.maintain(kStart);
    store.maintain(kStart + 3'600'000);  // A checkpoint.
    store.reopen();                      // From the disk.
    check();
    EXPECT_EQ(*store->append_exemplars({{Labels{{"__name__", "b"}}, {exemplar(kStart + 3)}}}), 1U);
}

TEST(StoreExemplars, TheBoundHoldsAcrossCheckpoints) {
    TestStore store({.max_exemplars = 10});
    store.append({at("a", kStart, 1)});
    for (std::int64_t round = 0; round < 5; ++round) {
        for (std::int64_t i = 0; i < 7; ++i) {
            const std::int64_t time = kStart + round * 7 + i;
            EXPECT_EQ(*store->append_exemplars({{Labels{{"__name__", "a"}}, {exemplar(time)}}}), 1U);
        }
        store.maintain(kStart + round * 3'600'000);
        store.reopen();
        store.maintain(kStart);
    }
    const auto left = store->exemplars({{is("__name__", "a")}}, 0, testing::kMaxTime);
    ASSERT_EQ(left->size(), 1U);
    EXPECT_EQ(left->front().exemplars.size(), 10U);
    EXPECT_EQ(left->front().exemplars.back(), exemplar(kStart + 34));
}

TEST(StoreMetadata, TheNewestWinsAndOutlivesACheckpoint) {
    TestStore store;
    store->set_metadata({{"up", {"gauge", "old", ""}}, {"requests", {"counter", "Requests.", ""}}});
    store->set_metadata({{"up", {"gauge", "Whether it is up.", ""}}, {"", {"gauge", "nameless", ""}}});
    store.maintain(kStart);
    store.maintain(kStart + 3'600'000);
    store.reopen();
    ASSERT_EQ(store->metadata("up").size(), 1U);
    EXPECT_EQ(store->metadata("up")[0].metadata.help, "Whether it is up.");
    ASSERT_EQ(store->metadata("").size(), 2U);
    EXPECT_EQ(store->metadata("")[0].family, "requests");
    EXPECT_TRUE(store->metadata("nothing").empty());
}

TEST(StoreCardinality, CountsSeriesValuesAndBytes) {
    TestStore store;
    for (int i = 0; i < 10; ++i) {
        const std::string path = "/path" + std::to_string(i);
        store.append({{Labels{{"__name__", "hits"}, {"path", path}, {"job", i < 7 ? "a" : "b"}}, {kStart, 1}}});
    }
    store.append({at("up", kStart, 1)});
    const Cardinality all = store->cardinality({}, 3);
    ASSERT_EQ(all.series_by_metric.size(), 2U);
    EXPECT_EQ(all.series_by_metric[0].name, "hits");
    EXPECT_EQ(all.series_by_metric[0].count, 10U);
    ASSERT_EQ(all.values_by_label.size(), 3U);
    EXPECT_EQ(all.values_by_label[0].name, "path");
    EXPECT_EQ(all.values_by_label[0].count, 10U);
    EXPECT_EQ(all.bytes_by_label[0].name, "path");
    EXPECT_EQ(all.bytes_by_label[0].count, 60U);
    ASSERT_EQ(all.series_by_pair.size(), 3U);
    EXPECT_EQ(all.series_by_pair[0].name, "__name__=hits");
    EXPECT_EQ(all.series_by_pair[1].name, "job=a");
    EXPECT_EQ(all.series_by_pair[1].count, 7U);
    const Cardinality some = store->cardinality({is("job", "b")}, 10);
    EXPECT_EQ(some.series_by_metric[0].count, 3U);
    EXPECT_EQ(some.values_by_label[0].count, 3U);
    EXPECT_EQ(store->stats().label_pairs, 14U);
    EXPECT_EQ(store->stats().head_chunks, 11U);
}

}  // namespace
}  // namespace stoker::tsdb
