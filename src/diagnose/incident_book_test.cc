#include "diagnose/incident_book.h"

#include <gtest/gtest.h>

#include <thread>

namespace stoker::diagnose {
namespace {

class MemoryStore : public IncidentStore {
public:
    Result<Unit> put(const Incident& incident) override {
        if (failing) return Error{Errc::Unavailable, "disk full"};
        kept[incident.id] = incident;
        return Unit{};
    }
    Result<std::vector<Incident>> load_all(std::size_t) override {
        std::vector<Incident> all;
        for (const auto& [id, incident] : kept) all.push_back(incident);
        return all;
    }

    std::map<std::string, Incident> kept;
    bool failing = false;
};

class Listener : public IncidentObserver {
public:
    void on_incident(const Incident& incident) override { heard.push_back(incident); }
    std::vector<Incident> heard;
};

Incident about(IncidentKind kind, std::string replica, std::string title = "t") {
    Incident incident;
    incident.kind = kind;
    incident.replica = std::move(replica);
    incident.title = std::move(title);
    return incident;
}

void resolve(IncidentBook& book, const std::string& id) {
    ASSERT_TRUE(
        book.update(id, from_millis(9), [](Incident& incident) { incident.status = IncidentStatus::Resolved; }));
}

TEST(IncidentBook, OneIncidentForOneTrouble) {
    const auto down = IncidentKind::EngineDown, hung = IncidentKind::EngineHung, alert = IncidentKind::Alert;
    struct Row {
        Incident first, second;
        bool same;
    } rows[] = {
        {about(down, "a"), about(down, "a"), true},
        {about(hung, "a"), about(down, "a"), true},  // A restart of a hung engine makes it refuse connections.
        {about(down, "a"), about(down, "b"), false},
        {about(alert, "", "HighTtft"), about(alert, "", "HighTtft"), true},
        {about(alert, "", "HighTtft"), about(alert, "", "DiskFull"), false},
        {about(alert, "a"), about(down, "a"), false},
    };
    for (const Row& row : rows) {
        IncidentBook book(nullptr);
        const auto first = book.open(row.first, from_millis(1));
        const auto second = book.open(row.second, from_millis(2));
        EXPECT_TRUE(first.created);
        EXPECT_EQ(second.created, !row.same);
        EXPECT_EQ(first.incident.id == second.incident.id, row.same);
    }
}

TEST(IncidentBook, ResolvedTroubleThatReturnsIsANewIncident) {
    IncidentBook book(nullptr);
    const auto first = book.open(about(IncidentKind::EngineDown, "a"), from_millis(1));
    resolve(book, first.incident.id);
    EXPECT_FALSE(book.open_for_replica("a"));
    EXPECT_TRUE(book.open(about(IncidentKind::EngineDown, "a"), from_millis(2)).created);
    EXPECT_EQ(book.counts().open, 1u);
    EXPECT_EQ(book.counts().total, 2u);
}

TEST(IncidentBook, EveryChangeIsStoredAndHeard) {
    MemoryStore store;
    Listener listener;
    IncidentBook book(&store);
    book.add_observer(&listener);
    const auto opened = book.open(about(IncidentKind::EngineDown, "a"), from_millis(1));
    ASSERT_TRUE(book.note(opened.incident.id, {from_millis(5), Phase::Note, "seen", "user", true}));
    ASSERT_EQ(listener.heard.size(), 2u);
    EXPECT_EQ(listener.heard[1].updated_at, from_millis(5));
    EXPECT_EQ(store.kept.at(opened.incident.id).timeline.size(), 1u);
    EXPECT_FALSE(book.note("inc_unknown", {}));
}

TEST(IncidentBook, LoadReturnsWhatIsNotOver) {
    MemoryStore store;
    std::string open_id;
    {
        IncidentBook book(&store);
        open_id = book.open(about(IncidentKind::EngineDown, "a"), from_millis(1)).incident.id;
        resolve(book, book.open(about(IncidentKind::EngineDown, "b"), from_millis(1)).incident.id);
    }
    IncidentBook book(&store);
    const auto unfinished = book.load();
    ASSERT_TRUE(unfinished);
    ASSERT_EQ(unfinished->size(), 1u);
    EXPECT_EQ(unfinished->front().id, open_id);
    EXPECT_EQ(book.counts().total, 2u);
    EXPECT_FALSE(book.open(about(IncidentKind::EngineHung, "a"), from_millis(2)).created);
}

TEST(IncidentBook, GoesOnInMemoryWhenTheStoreFails) {
    MemoryStore store;
    store.failing = true;
    IncidentBook book(&store);
    const auto opened = book.open(about(IncidentKind::EngineDown, "a"), from_millis(1));
    EXPECT_TRUE(book.find(opened.incident.id));
    EXPECT_EQ(book.store_failures(), 1u);
}

TEST(IncidentBook, IsBounded) {
    IncidentBook book(nullptr, {.max_over = 3, .max_timeline = 8});
    const std::string open_id = book.open(about(IncidentKind::EngineDown, "stays"), from_millis(1)).incident.id;
    for (int i = 0; i < 10; ++i) {
        resolve(book, book.open(about(IncidentKind::EngineDown, "r" + std::to_string(i)), from_millis(1)).incident.id);
    }
    EXPECT_EQ(book.counts().total, 4u);
    for (int i = 0; i < 50; ++i) {
        ASSERT_TRUE(book.note(open_id, {from_millis(i), Phase::Note, std::to_string(i), "test", true}));
    }
    const auto timeline = book.find(open_id)->timeline;
    ASSERT_EQ(timeline.size(), 8u);
    EXPECT_EQ(timeline.front().text, "0");
    EXPECT_EQ(timeline.back().text, "49");
}

TEST(IncidentBook, NewestFirst) {
    IncidentBook book(nullptr);
    for (int i = 0; i < 5; ++i) {
        Incident incident = about(IncidentKind::EngineDown, std::to_string(i));
        incident.opened_at = from_millis(i);
        book.open(incident, from_millis(i));
    }
    const auto newest = book.list({.only_open = true, .limit = 2});
    ASSERT_EQ(newest.size(), 2u);
    EXPECT_EQ(newest[0].replica, "4");
    EXPECT_EQ(newest[1].replica, "3");
}

TEST(IncidentBook, ManyThreadsOpenOneIncident) {
    MemoryStore store;
    IncidentBook book(&store);
    std::atomic<int> created{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&book, &created] {
            for (int round = 0; round < 100; ++round) {
                const auto opened = book.open(about(IncidentKind::EngineDown, "a"), from_millis(round));
                created += opened.created ? 1 : 0;
                (void)book.note(opened.incident.id, {from_millis(round), Phase::Note, "x", "test", true});
                (void)book.list({});
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(created, 1);
    EXPECT_EQ(store.kept.size(), 1u);
}

}  // namespace
}  // namespace stoker::diagnose
