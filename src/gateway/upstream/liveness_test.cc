// Replicas that die or hang while requests are under way: noticed, cut, made good, and taken back.
#include "gateway/rig_test.h"

namespace stoker::gateway::test {
namespace {

using namespace std::chrono_literals;
using testing::Contains;

void fast_probes(PoolOptions& pool) {
    pool.health.interval = 50ms;
    pool.health.timeout = 100ms;
}

std::vector<std::future<Reply>> begin_streams(Rig& rig, int count) {
    std::vector<std::future<Reply>> streams;
    for (int i = 0; i < count; ++i) streams.push_back(rig.begin({}));
    return streams;
}

TEST(Liveness, AReplicaThatStopsAnsweringIsHungAndItsStreamsEndAtOnce) {
    Rig rig(1, fast_probes);
    rig.upstream(0).play({.act = Act::Stall, .events = 2});
    auto streams = begin_streams(rig, 5);
    ASSERT_TRUE(eventually([&] { return rig.flowing() == 5; }));
    rig.upstream(0).set_health(0);
    for (auto& stream : streams) {
        ASSERT_EQ(stream.wait_for(3s), std::future_status::ready) << "well before the 30 s between events";
        const Reply reply = stream.get();
        EXPECT_EQ(reply.code(), "upstream_stream_stalled") << reply.body;
        EXPECT_FALSE(reply.clean);
    }
    EXPECT_EQ(rig.events(1)[0].kind, ReplicaEvent::Kind::Hung);
    rig.upstream(0).play({});
    rig.upstream(0).set_health(200);
    EXPECT_EQ(rig.events(2)[1].kind, ReplicaEvent::Kind::Recovered);
    EXPECT_EQ(rig.ask().status, 200);
}

TEST(Liveness, RequestsWithoutTheirFirstByteMoveToAnotherReplica) {
    Rig rig(2, fast_probes);
    rig.upstream(0).play({.act = Act::Silent});
    rig.upstream(1).play({.act = Act::Silent});
    auto streams = begin_streams(rig, 6);
    ASSERT_TRUE(eventually([&] { return rig.upstream(0).requests() + rig.upstream(1).requests() == 6; }));
    rig.upstream(1).play({});
    rig.upstream(0).play({});
    rig.upstream(0).set_health(0);
    EXPECT_TRUE(eventually([&] { return rig.status(0).state == ReplicaState::Hung; }));
    // Those on the first go to the second; the second's own are still waiting on it.
    EXPECT_TRUE(eventually([&] { return rig.records(3).size() >= 3; }));
    for (const auto& record : rig.records(3)) {
        EXPECT_EQ(record.outcome, "ok");
        EXPECT_EQ(record.attempts.size(), 2u);
        EXPECT_EQ(record.attempts[0].error, "replica_lost");
    }
}

TEST(Liveness, StreamsThatStandStillAreAHangThoughHealthIsFine) {
    Rig rig(1, [](PoolOptions& pool) {
        fast_probes(pool);
        pool.health.stall_after = 400ms;
    });
    rig.upstream(0).play({.act = Act::Stall, .events = 2});
    const Reply reply = rig.ask();
    EXPECT_EQ(reply.code(), "upstream_stream_stalled");
    EXPECT_EQ(rig.events(1)[0].kind, ReplicaEvent::Kind::Hung);
    EXPECT_TRUE(rig.status(0).health_ok);
    // /health says 200 all the while; only an answered request brings it back.
    rig.upstream(0).play({});
    EXPECT_EQ(rig.events(2)[1].kind, ReplicaEvent::Kind::Recovered);
    EXPECT_THAT(rig.upstream(0).last_body(), testing::HasSubstr("\"max_tokens\":1"));
    EXPECT_EQ(rig.ask().status, 200);
}

TEST(Liveness, AReplicaThatDiesIsDownAndComesBack) {
    Rig rig(1, fast_probes);
    rig.upstream(0).stop();
    EXPECT_EQ(rig.events(1)[0].kind, ReplicaEvent::Kind::Down);
    rig.upstream(0).start();
    EXPECT_EQ(rig.events(2)[1].kind, ReplicaEvent::Kind::Recovered);
    EXPECT_EQ(rig.ask().status, 200);
}

TEST(Liveness, AnEjectedReplicaIsProbedButStaysOut) {
    Rig rig(1, fast_probes);
    ASSERT_TRUE(rig.gateway().eject(rig.status(0).id, "restart"));
    rig.upstream(0).stop();
    EXPECT_TRUE(eventually([&] { return !rig.status(0).health_ok; }));
    rig.upstream(0).start();
    EXPECT_TRUE(eventually([&] { return rig.status(0).health_ok; }));
    EXPECT_EQ(rig.status(0).state, ReplicaState::Ejected);
    EXPECT_EQ(rig.ask().status, 503);
    ASSERT_TRUE(rig.gateway().readmit(rig.status(0).id));
    EXPECT_EQ(rig.ask().status, 200);
}

TEST(Liveness, TheSupervisorsHintEndsStreamsAtOnce) {
    Rig rig(1);
    rig.upstream(0).play({.act = Act::Stall, .events = 2});
    auto stream = rig.begin({});
    ASSERT_TRUE(eventually([&] { return rig.flowing() == 1; }));
    ASSERT_TRUE(rig.gateway().hint_down(rig.status(0).id, "killed by signal 9"));
    EXPECT_EQ(stream.get().code(), "upstream_stream_cut");
    EXPECT_THAT(rig.events(1)[0].evidence, Contains("killed by signal 9"));
}

TEST(Liveness, AReplicaThatIsAddedIsProbedAndOneThatIsRemovedIsNot) {
    Rig rig(2, fast_probes);
    EXPECT_TRUE(eventually([&] { return rig.status(1).health_ok; }));
    rig.pool().replicas.pop_back();
    ASSERT_TRUE(rig.apply());
    rig.upstream(1).stop();
    ASSERT_TRUE(rig.gateway().hint_down(rig.status(0).id, "test"));  // The only event to come.
    EXPECT_EQ(rig.events(1)[0].replica, rig.status(0).id);
}

}  // namespace
}  // namespace stoker::gateway::test
