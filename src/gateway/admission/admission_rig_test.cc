// The queue in the way of real requests: waiting, timing out, falling back, leaving, reloading, stopping.
#include "gateway/rig_test.h"

namespace stoker::gateway::test {
namespace {

// A pool of one place per replica, whose replicas answer once `open` is true.
struct Narrow {
    explicit Narrow(const std::function<void(AdmissionOptions&)>& adjust = {})
        : rig(1, [&adjust](PoolOptions& pool) {
              pool.admission.mode = ConcurrencyMode::Fixed;
              pool.admission.limit = 1;
              if (adjust) adjust(pool.admission);
          }) {
        rig.upstream(0).play({.until = [this] { return open.load(); }});
    }
    ~Narrow() { open = true; }

    std::size_t waiting() {
        const auto pools = rig.gateway().admission(10);
        return pools.empty() ? 0 : pools[0].waiting[1];
    }
    std::size_t running() { return rig.gateway().admission(0).at(0).running; }

    std::atomic<bool> open{false};
    Rig rig;
};

TEST(Admission, OneGoesAndTheOthersWait) {
    Narrow narrow;
    std::vector<std::future<Reply>> replies;
    for (int i = 0; i < 3; ++i) replies.push_back(narrow.rig.begin({}));
    EXPECT_TRUE(eventually([&] { return narrow.waiting() == 2 && narrow.rig.upstream(0).requests() == 1; }));
    narrow.open = true;
    int waited = 0;
    for (auto& reply : replies) {
        const Reply got = reply.get();
        EXPECT_EQ(got.status, 200);
        EXPECT_TRUE(got.clean);
        if (!got.header("x-stoker-queue-ms").empty()) ++waited;
    }
    EXPECT_EQ(waited, 2);
    int queued = 0;
    for (const auto& record : narrow.rig.records(3)) queued += record.queue_ns > 0 ? 1 : 0;
    EXPECT_EQ(queued, 2);
    // Their waiting is part of what the gateway's overhead shows, by its stage.
    EXPECT_THAT(narrow.rig.registry().text(),
                testing::HasSubstr(R"(stoker_gateway_overhead_seconds_count{stage="queue"} 2)"));
    EXPECT_TRUE(eventually([&] { return narrow.running() == 0; }));
}

TEST(Admission, WhoWaitsTooLongIsTurnedAway) {
    Narrow narrow([](AdmissionOptions& options) { options.timeout = Duration{50}; });
    auto first = narrow.rig.begin({});
    EXPECT_TRUE(eventually([&] { return narrow.rig.upstream(0).requests() == 1; }));
    const Reply late = narrow.rig.ask();
    EXPECT_EQ(late.status, 503);
    EXPECT_EQ(late.code(), "queue_timeout");
    EXPECT_FALSE(late.header("retry-after").empty());
    EXPECT_EQ(late.header("x-stoker-attempts"), "0");
    EXPECT_EQ(narrow.waiting(), 0U);
    narrow.open = true;
    EXPECT_EQ(first.get().status, 200);
}

TEST(Admission, AModelMayHaveItsOwnPatience) {
    Narrow narrow;
    narrow.rig.routes().models = {{.name = "tiny", .deadlines = {.queue = Duration{50}}}};
    ASSERT_TRUE(narrow.rig.apply());
    auto first = narrow.rig.begin({});
    EXPECT_TRUE(eventually([&] { return narrow.rig.upstream(0).requests() == 1; }));
    EXPECT_EQ(narrow.rig.ask().code(), "queue_timeout");
    narrow.open = true;
    EXPECT_EQ(first.get().status, 200);
}

// A replica that asked to be left alone is waited for like a place, if it fits the time.
TEST(Admission, ARestIsWaitedFor) {
    Narrow narrow;
    narrow.open = true;
    narrow.rig.pool().retry.retry_after_max = Duration{300};
    ASSERT_TRUE(narrow.rig.apply());
    narrow.rig.upstream(0).play({.act = Act::Status, .status = 429, .retry_after = "9", .times = 1});
    EXPECT_EQ(narrow.rig.ask().status, 429);
    const Reply reply = narrow.rig.ask();
    EXPECT_EQ(reply.status, 200) << reply.body;
    EXPECT_EQ(narrow.rig.upstream(0).requests(), 2);
    EXPECT_GT(narrow.rig.records(2)[1].queue_ns, 0);

    narrow.rig.upstream(0).play({.act = Act::Status, .status = 429, .retry_after = "9", .times = 1});
    narrow.rig.pool().retry.retry_after_max = std::chrono::seconds{60};
    narrow.rig.pool().admission.timeout = Duration{50};
    ASSERT_TRUE(narrow.rig.apply());
    EXPECT_EQ(narrow.rig.ask().status, 429);
    EXPECT_EQ(narrow.rig.ask().code(), "upstream_rate_limited") << "not for so long";
    EXPECT_EQ(narrow.rig.upstream(0).requests(), 3);
}

// What a pool takes goes with the replicas that it has now: drained ones and open circuits are no part of it.
TEST(Admission, DrainsAndOpenCircuitsTakeTheirPlacesAway) {
    Rig rig(3, [](PoolOptions& pool) {
        pool.admission.mode = ConcurrencyMode::Fixed;
        pool.admission.limit = 2;
        pool.breaker = {.consecutive = 1, .open_for = std::chrono::hours{1}, .open_max = std::chrono::hours{1}};
    });
    const auto limit = [&] { return rig.gateway().admission(0).at(0).limit; };
    EXPECT_EQ(limit(), 6U);
    ASSERT_TRUE(rig.gateway().drain(rig.status(0).id, "test"));
    EXPECT_EQ(limit(), 4U);
    rig.upstream(1).play({.act = Act::Reset});
    EXPECT_TRUE(eventually([&] { return rig.ask().status == 200 && rig.status(1).state == ReplicaState::Open; }));
    EXPECT_EQ(limit(), 2U);
    ASSERT_TRUE(rig.gateway().undrain(rig.status(0).id));
    EXPECT_EQ(limit(), 4U);
}

// Those that wait for a replica whose circuit opens hear of that, and do not wait on.
TEST(Admission, AnOpenCircuitIsNotWaitedFor) {
    Rig rig(1, [](PoolOptions& pool) {
        pool.admission.mode = ConcurrencyMode::Fixed;
        pool.admission.limit = 1;
        pool.retry.max_attempts = 1;
        pool.breaker = {.consecutive = 1, .open_for = std::chrono::hours{1}, .open_max = std::chrono::hours{1}};
        pool.deadlines.first_byte = Duration{400};
    });
    rig.upstream(0).play({.act = Act::Silent});
    auto first = rig.begin({});
    EXPECT_TRUE(eventually([&] { return rig.upstream(0).requests() == 1; }));
    auto second = rig.begin({});
    EXPECT_EQ(first.get().code(), "upstream_timeout");
    EXPECT_EQ(second.get().code(), "no_replica_available");
    EXPECT_EQ(rig.upstream(0).requests(), 1);
}

TEST(Admission, AFullQueueRefusesAndCounts) {
    Narrow narrow([](AdmissionOptions& options) { options.queue = 1; });
    auto first = narrow.rig.begin({});
    EXPECT_TRUE(eventually([&] { return narrow.rig.upstream(0).requests() == 1; }));
    auto second = narrow.rig.begin({});
    EXPECT_TRUE(eventually([&] { return narrow.waiting() == 1; }));
    EXPECT_EQ(narrow.rig.ask().code(), "queue_full");
    EXPECT_THAT(narrow.rig.registry().text(),
                testing::AllOf(
                    testing::HasSubstr(
                        R"(stoker_gateway_queue_refused_total{pool="chat",priority="normal",reason="queue_full"} 1)"),
                    testing::HasSubstr(R"(stoker_gateway_queue_waiting{pool="chat",priority="normal"} 1)"),
                    testing::HasSubstr(R"(stoker_gateway_queue_limit{pool="chat"} 1)")));
    narrow.open = true;
    EXPECT_EQ(first.get().status, 200);
    EXPECT_EQ(second.get().status, 200);
}

TEST(Admission, ARefusalIsOverloadForTheNextStep) {
    Narrow narrow([](AdmissionOptions& options) { options.queue = 0; });
    narrow.rig.add_pool("spare", "other").admission = {};
    narrow.rig.routes().models = {{.name = "tiny", .fallback = {{.to = "other", .on = {FallbackCause::Overloaded}}}}};
    ASSERT_TRUE(narrow.rig.apply());
    auto first = narrow.rig.begin({});
    EXPECT_TRUE(eventually([&] { return narrow.rig.upstream(0).requests() == 1; }));
    const Reply reply = narrow.rig.ask();
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.header("x-stoker-model"), "other");
    narrow.open = true;
    EXPECT_EQ(first.get().status, 200);
}

TEST(Admission, AClientThatLeavesIsOutAtOnce) {
    Narrow narrow;
    auto first = narrow.rig.begin({});
    EXPECT_TRUE(eventually([&] { return narrow.rig.upstream(0).requests() == 1; }));
    Ask leaving;
    leaving.leave_after_pieces = 0;
    auto gone = narrow.rig.begin(leaving);
    EXPECT_TRUE(eventually([&] { return narrow.waiting() == 1; }));
    EXPECT_EQ(gone.get().status, 0);
    EXPECT_TRUE(eventually([&] { return narrow.waiting() == 0; }));
    const auto record = narrow.rig.records(1).front();
    EXPECT_EQ(record.outcome, "cancelled");
    EXPECT_GT(record.queue_ns, 0);
    EXPECT_TRUE(record.attempts.empty());
    narrow.open = true;
    EXPECT_EQ(first.get().status, 200);
    EXPECT_EQ(narrow.rig.upstream(0).requests(), 1);
}

TEST(Admission, AReloadLetsThemGo) {
    Narrow narrow;
    std::vector<std::future<Reply>> replies;
    for (int i = 0; i < 5; ++i) replies.push_back(narrow.rig.begin({}));
    EXPECT_TRUE(eventually([&] { return narrow.waiting() == 4; }));
    narrow.rig.pool().admission.limit = 3;
    ASSERT_TRUE(narrow.rig.apply());
    EXPECT_TRUE(eventually([&] { return narrow.rig.upstream(0).requests() == 3; }));
    narrow.rig.pool().admission.mode = ConcurrencyMode::Off;
    ASSERT_TRUE(narrow.rig.apply());
    EXPECT_TRUE(eventually([&] { return narrow.rig.upstream(0).requests() == 5; }));
    narrow.open = true;
    for (auto& reply : replies) EXPECT_EQ(reply.get().status, 200);
}

// Its pool is gone from the configuration; what waits there is served by the replicas that it had.
TEST(Admission, APoolThatIsRemovedServesWhoWaits) {
    Narrow narrow;
    auto first = narrow.rig.begin({});
    auto second = narrow.rig.begin({});
    EXPECT_TRUE(eventually([&] { return narrow.waiting() == 1; }));
    narrow.rig.add_pool("spare", "other");
    narrow.rig.routes().pools.erase(narrow.rig.routes().pools.begin());
    ASSERT_TRUE(narrow.rig.apply());
    narrow.open = true;
    EXPECT_EQ(first.get().status, 200);
    EXPECT_EQ(second.get().status, 200);
}

TEST(Admission, WhereNobodyServesNobodyWaits) {
    Narrow narrow;
    auto first = narrow.rig.begin({});
    EXPECT_TRUE(eventually([&] { return narrow.rig.upstream(0).requests() == 1; }));
    auto second = narrow.rig.begin({});
    EXPECT_TRUE(eventually([&] { return narrow.waiting() == 1; }));
    ASSERT_TRUE(narrow.rig.gateway().eject(narrow.rig.status(0).id, "test"));
    EXPECT_EQ(second.get().code(), "no_replica_available");
    narrow.open = true;
    EXPECT_EQ(first.get().status, 200);
}

// ~Rig stops the server while requests wait; that it ends at all is the test, and that sanitizers are content.
TEST(Admission, StoppingEndsThem) {
    std::vector<std::future<Reply>> replies;
    {
        Narrow narrow;
        for (int i = 0; i < 4; ++i) replies.push_back(narrow.rig.begin({}));
        EXPECT_TRUE(eventually([&] { return narrow.waiting() == 3; }));
    }
}

TEST(Admission, RecordsOfTheRefusedSayWhy) {
    Narrow narrow([](AdmissionOptions& options) { options.queue = 0; });
    auto first = narrow.rig.begin({});
    EXPECT_TRUE(eventually([&] { return narrow.rig.upstream(0).requests() == 1; }));
    EXPECT_EQ(narrow.rig.ask().status, 503);
    const auto record = narrow.rig.records(1).front();
    EXPECT_EQ(record.error, "queue_full");
    EXPECT_EQ(record.outcome, "rejected");
    EXPECT_EQ(record.pool, "chat");
    narrow.open = true;
    EXPECT_EQ(first.get().status, 200);
}

}  // namespace
}  // namespace stoker::gateway::test
