#include "records/trace_query.h"

#include <gtest/gtest.h>

#include "records/telemetry_store.h"
#include "records/testing.h"

namespace stoker::records {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
const std::int64_t kStart = 1'700'000'000 * kSecond;

const std::string kOne = "0af7651916cd43dd8448eb211c80319c";
const std::string kTwo = "0af7651916cd43dd8448eb211c80319d";
const std::string kThree = "ffffffffffffffffffffffff0c80319c";

SpanRow span(const std::string& trace_id, const std::string& id, const std::string& parent, const std::string& service,
             const std::string& name, std::int64_t start_seconds, std::int64_t seconds) {
    SpanRow row;
    row.trace_id = trace_id;
    row.span_id = id;
    row.parent_span_id = parent;
    row.service = service;
    row.name = name;
    row.kind = "server";
    row.start_ns = kStart + start_seconds * kSecond;
    row.duration_ns = seconds * kSecond;
    return row;
}

class TraceQueryTest : public ::testing::Test {
protected:
    void SetUp() override {
        TelemetryOptions options;
        options.sampling.per_second = 0;
        store_ = TelemetryStore::open(directory_ / "t", options, registry_).value_or(nullptr);
        ASSERT_TRUE(store_);
        SpanRow llm = span(kOne, "a2", "a1", "stoker", "chat tiny", 1, 3);
        llm.model = "tiny";
        llm.input_tokens = 10;
        llm.output_tokens = 20;
        llm.attributes = R"({"gen_ai.request.model":"tiny","http.status":200,"a \"b\"":"c"})";
        llm.resource = R"({"deployment.environment.name":"prod"})";
        SpanRow failed = span(kTwo, "b1", "", "app", "GET /chat", 10, 1);
        failed.error = true;
        failed.weight = 4;
        SpanRow called = span(kTwo, "b2", "b1", "stoker", "chat tiny", 10, 1);
        called.weight = 4;
        failed.decided = called.decided = true;
        ASSERT_TRUE(store_->append(std::vector{span(kOne, "a1", "", "app", "GET /chat", 0, 5), llm, failed, called,
                                               called, span(kThree, "c1", "gone", "batch", "nightly", 20, 60)}));
        ASSERT_TRUE(store_->load(now()));
    }

    template <typename F>
    auto ask(F use) {
        std::decay_t<decltype(*use(std::declval<duck::Connection&>()))> out{};
        const auto done = store_->read(Duration{10'000}, [&](duck::Connection& connection) -> Result<Unit> {
            TRY(out, use(connection));
            return Unit{};
        });
        EXPECT_TRUE(done) << done.error().message;
        return out;
    }
    std::vector<std::string> found(const TraceFilter& filter) {
        std::vector<std::string> ids;
        const auto list = ask([&](duck::Connection& connection) { return find_traces(connection, filter); });
        EXPECT_TRUE(list.complete || filter.limit == 0 || filter.budget);
        for (const auto& trace : list.traces) ids.push_back(trace.trace_id);
        return ids;
    }

    testing::TemporaryDirectory directory_;
    metrics::Registry registry_;
    std::unique_ptr<TelemetryStore> store_;
};

using Ids = std::vector<std::string>;

TEST_F(TraceQueryTest, FindsNewestFirst) {
    EXPECT_EQ(found({}), (Ids{kThree, kTwo, kOne}));
    EXPECT_EQ(found({.limit = 1}), Ids{kThree});
    EXPECT_EQ(found({.limit = 0}), Ids{});
}

TEST_F(TraceQueryTest, FindsByWhatASpanOfItIs) {
    EXPECT_EQ(found({.service = "app"}), (Ids{kTwo, kOne}));
    EXPECT_EQ(found({.service = "app", .name = "chat tiny"}), Ids{});
    EXPECT_EQ(found({.name = "nightly"}), Ids{kThree});
    EXPECT_EQ(found({.model = "tiny"}), Ids{kOne});
    EXPECT_EQ(found({.errors = true}), Ids{kTwo});
    EXPECT_EQ(found({.min_duration_ns = 5 * kSecond}), (Ids{kThree, kOne}));
    EXPECT_EQ(found({.min_duration_ns = 5 * kSecond, .max_duration_ns = 10 * kSecond}), Ids{kOne});
    EXPECT_EQ(found({.from_ns = kStart + 5 * kSecond, .to_ns = kStart + 15 * kSecond}), Ids{kTwo});
    EXPECT_EQ(found({.text = "NIGHT"}), Ids{kThree});
    EXPECT_EQ(found({.text = "request.model"}), Ids{kOne});
}

TEST_F(TraceQueryTest, EndsWithWhatItHasWhenItsTimeIsOver) {
    TraceFilter filter{.to_ns = kStart + 1000 * kSecond, .name = "GET /chat"};
    filter.from_ns = 1;
    filter.budget = Duration{0};
    const auto first = ask([&](duck::Connection& connection) { return find_traces(connection, filter); });
    EXPECT_TRUE(first.traces.empty());  // They are older than the first stretch of time.
    EXPECT_FALSE(first.complete);
    EXPECT_EQ(first.searched_from_ns, kStart + 400 * kSecond);
    filter.budget.reset();
    const auto whole = ask([&](duck::Connection& connection) { return find_traces(connection, filter); });
    EXPECT_EQ(whole.traces.size(), 2u);
    EXPECT_TRUE(whole.complete);
    EXPECT_EQ(whole.searched_from_ns, 1);
}

TEST_F(TraceQueryTest, FindsByTags) {
    EXPECT_EQ(found({.tags = {{"http.status", "200"}}}), Ids{kOne});
    EXPECT_EQ(found({.tags = {{"http.status", "200"}, {"deployment.environment.name", "prod"}}}), Ids{kOne});
    EXPECT_EQ(found({.tags = {{"http.status", "500"}}}), Ids{});
    EXPECT_EQ(found({.tags = {{"a \"b\"", "c"}}}), Ids{kOne});
    EXPECT_EQ(found({.tags = {{"x' OR true --", "c"}}}), Ids{});
    EXPECT_EQ(found({.tags = {{"error", "true"}}}), Ids{kTwo});
}

TEST_F(TraceQueryTest, SummarisesTheWholeTrace) {
    const auto traces =
        ask([](duck::Connection& connection) { return find_traces(connection, {.model = "tiny"}); }).traces;
    ASSERT_EQ(traces.size(), 1u);
    EXPECT_EQ(traces[0].name, "GET /chat");
    EXPECT_EQ(traces[0].service, "app");
    EXPECT_EQ(traces[0].start_ns, kStart);
    EXPECT_EQ(traces[0].duration_ns, 5 * kSecond);
    EXPECT_EQ(traces[0].spans, 2);
    EXPECT_EQ(traces[0].services, 2);
    EXPECT_EQ(traces[0].output_tokens, 20);
}

TEST_F(TraceQueryTest, GivesATraceWithEachSpanOnce) {
    const auto spans = ask([](duck::Connection& connection) { return get_trace(connection, kTwo, 0, 100); });
    ASSERT_EQ(spans.size(), 2u);
    EXPECT_EQ(spans[0].name, "GET /chat");
    EXPECT_EQ(spans[1].parent_span_id, "b1");
    const auto near = ask([](duck::Connection& connection) { return get_trace(connection, kOne, kStart, 1); });
    EXPECT_EQ(near.size(), 1u);
    const auto missing = store_->read(Duration{10'000}, [](duck::Connection& connection) -> Result<Unit> {
        TRY([[maybe_unused]] const auto none, get_trace(connection, "00000000000000000000000000000001", kStart, 100));
        return Unit{};
    });
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, Errc::NotFound);
}

TEST_F(TraceQueryTest, ListsServicesOperationsAndWhoCallsWhom) {
    EXPECT_EQ(ask([](duck::Connection& connection) { return trace_services(connection, 0); }),
              (Ids{"app", "batch", "stoker"}));
    EXPECT_EQ(ask([](duck::Connection& connection) { return trace_services(connection, kStart + 15 * kSecond); }),
              Ids{"batch"});
    const auto operations =
        ask([](duck::Connection& connection) { return trace_operations(connection, "stoker", "server", 0); });
    ASSERT_EQ(operations.size(), 1u);
    EXPECT_EQ(operations[0].name, "chat tiny");
    EXPECT_TRUE(
        ask([](duck::Connection& connection) { return trace_operations(connection, "stoker", "client", 0); }).empty());
    const auto calls = ask(
        [](duck::Connection& connection) { return trace_dependencies(connection, kStart, kStart + 100 * kSecond); });
    ASSERT_EQ(calls.size(), 1u);
    EXPECT_EQ(calls[0].parent, "app");
    EXPECT_EQ(calls[0].child, "stoker");
    EXPECT_EQ(calls[0].calls, 9);  // One, and two that stand for four each (one was sent twice).
}

}  // namespace
}  // namespace stoker::records
