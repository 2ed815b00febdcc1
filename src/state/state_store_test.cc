#include "state/state_store.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "base/id.h"
#include "state/migrations.h"

namespace stoker::state {
namespace {

namespace fs = std::filesystem;

constexpr Timestamp at(std::int64_t millis) {
    return from_millis(millis);
}

class StateStoreTest : public ::testing::Test {
protected:
    void SetUp() override { fs::create_directories(directory_); }
    void TearDown() override {
        store_.reset();
        std::error_code ignored;
        fs::remove_all(directory_, ignored);
    }

    std::string path() const { return (directory_ / "state.sqlite").string(); }

    StateStore& store() {
        if (!store_) {
            auto opened = StateStore::open(path());
            EXPECT_TRUE(opened) << (opened ? "" : opened.error().message);
            store_ = *std::move(opened);
        }
        return *store_;
    }

    void put(std::string_view id, std::int64_t time, std::string_view status, std::string_view body = "{}") {
        const auto revision = store().put(
            kIncidents,
            {.id = std::string(id), .time = at(time), .status = std::string(status), .body = std::string(body)});
        EXPECT_TRUE(revision) << revision.error().message;
    }

    std::string ids(const Selection& selection) {
        const auto documents = store().list(kIncidents, selection);
        EXPECT_TRUE(documents);
        std::string out;
        for (const Document& document : *documents) out += document.id;
        EXPECT_EQ(selection.limit < 100 ? out.size() : *store().count(kIncidents, selection), out.size());
        return out;
    }

    static Action restart(const std::string& id, std::int64_t time = 1) {
        return {.id = id,
                .incident_id = "inc_1",
                .policy = "restart-dead-engine",
                .kind = "restart",
                .target = "chat/a",
                .detail = "{}",
                .intended_at = at(time)};
    }

    fs::path directory_ = fs::temp_directory_path() / ("stoker-state-" + random_hex(8));
    std::unique_ptr<StateStore> store_;
};

TEST_F(StateStoreTest, DocumentsAreReplacedAndCounted) {
    put("a", 5, "open", R"({"n":1})");
    put("a", 6, "resolved", R"({"n":2})");
    const auto document = store().get(kIncidents, "a");
    ASSERT_TRUE(document);
    EXPECT_EQ(document->body, R"({"n":2})");
    EXPECT_EQ(document->status, "resolved");
    EXPECT_EQ(document->time, at(6));
    EXPECT_EQ(document->revision, 2);
    EXPECT_EQ(store().get(kIncidents, "b").error().code, Errc::NotFound);
    EXPECT_EQ(store().get(kAlertStates, "a").error().code, Errc::NotFound);
    EXPECT_TRUE(store().remove(kIncidents, "a"));
    EXPECT_TRUE(store().remove(kIncidents, "a"));
    EXPECT_EQ(store().get(kIncidents, "a").error().code, Errc::NotFound);
}

TEST_F(StateStoreTest, ListsByTimeAndStatus) {
    put("a", 1, "open");
    put("b", 2, "resolved");
    put("c", 3, "acting");
    put("d", 3, "open");
    ASSERT_TRUE(store().put(kAlertStates, {.id = "x", .time = at(2), .status = "open"}));
    EXPECT_EQ(ids({}), "dcba");
    EXPECT_EQ(ids({.oldest_first = true}), "abcd");
    EXPECT_EQ(ids({.status = {"open"}}), "da");
    EXPECT_EQ(ids({.status = {"open", "acting"}}), "dca");
    EXPECT_EQ(ids({.status = {"' OR 1=1 --"}}), "");
    EXPECT_EQ(ids({.from = at(2), .to = at(3)}), "b");
    EXPECT_EQ(ids({.limit = 2, .offset = 1}), "cb");

    EXPECT_EQ(store().remove_before(kIncidents, at(3), {"resolved"}).value_or(0), 1u);
    EXPECT_EQ(ids({}), "dca");
    EXPECT_EQ(store().remove_before(kIncidents, at(3), {}).value_or(0), 1u);
    EXPECT_EQ(ids({}), "dc");
}

TEST_F(StateStoreTest, ValuesStayAfterReopening) {
    EXPECT_EQ(store().value("mark").error().code, Errc::NotFound);
    EXPECT_TRUE(store().set_value("mark", "1"));
    EXPECT_TRUE(store().set_value("mark", std::string("a\0b", 3)));
    store_.reset();
    EXPECT_EQ(store().value("mark").value_or(""), std::string("a\0b", 3));
}

TEST_F(StateStoreTest, KeysStayWithAllTheyHave) {
    ApiKey key{.id = "ci",
               .tenant = "acme",
               .hash = std::string(64, 'a'),
               .models = R"(["m"])",
               .metadata = R"({"team":"x"})",
               .created = at(5)};
    ASSERT_TRUE(store().put_api_key(key));
    key.previous_hash = key.hash;
    key.previous_until = at(100);
    key.hash = std::string(64, 'b');
    key.revoked = at(9);
    key.created = at(77);
    ASSERT_TRUE(store().put_api_key(key));
    EXPECT_EQ(store().put_api_key({.id = "other", .hash = key.hash}).error().code, Errc::Conflict);
    ASSERT_TRUE(store().note_api_key_uses({{"ci", at(8)}, {"ci", at(7)}, {"nobody", at(8)}}));
    store_.reset();
    const auto keys = store().api_keys();
    ASSERT_TRUE(keys);
    ASSERT_EQ(keys->size(), 1u);
    const ApiKey& found = keys->front();
    EXPECT_EQ(found.id + found.tenant + found.models + found.metadata, R"(ciacme["m"]{"team":"x"})");
    EXPECT_EQ(found.hash + found.previous_hash, std::string(64, 'b') + std::string(64, 'a'));
    EXPECT_EQ(found.created, at(5)) << "a key is made once";
    EXPECT_EQ(found.previous_until, at(100));
    EXPECT_EQ(found.revoked, at(9));
    EXPECT_EQ(found.last_used, at(8));
    EXPECT_FALSE(found.expires || found.rotated);
    ASSERT_TRUE(store().remove_api_key("ci"));
    EXPECT_TRUE(store().api_keys()->empty());
}

TEST_F(StateStoreTest, ACopyIsAsOfItsMoment) {
    put("a", 1, "open");
    const std::string copy = directory_ / "copy.sqlite";
    ASSERT_TRUE(store().copy_to(copy));
    put("b", 2, "open");
    EXPECT_FALSE(store().copy_to(copy)) << "it exists";
    auto opened = StateStore::open(copy);
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(*(*opened)->count(kIncidents, {}), 1u);
}

TEST_F(StateStoreTest, ATransactionIsAllOrNothing) {
    const auto failed = store().transact(Durability::Process, [](Operations& operations) -> Result<Unit> {
        TRY([[maybe_unused]] const auto revision, operations.put(kIncidents, {.id = "a", .time = at(1)}));
        TRY_UNIT(operations.set_value("mark", "1"));
        return Error{Errc::Cancelled, "thought better of it"};
    });
    EXPECT_EQ(failed.error().code, Errc::Cancelled);
    EXPECT_EQ(ids({}), "");
    EXPECT_FALSE(store().value("mark"));

    EXPECT_TRUE(store().transact(Durability::Power, [](Operations& operations) -> Result<Unit> {
        TRY([[maybe_unused]] const auto revision, operations.put(kIncidents, {.id = "a", .time = at(1)}));
        return operations.set_value("mark", "1");
    }));
    EXPECT_EQ(ids({}), "a");
    EXPECT_TRUE(store().value("mark"));
}

// Actions.

TEST_F(StateStoreTest, AnActionNeverBeginsTwice) {
    ASSERT_TRUE(store().begin_action(restart("act_1")));
    store_.reset();  // A crash between intent and result.
    const auto interrupted = store().actions({.status = ActionStatus::Intended});
    ASSERT_TRUE(interrupted);
    ASSERT_EQ(interrupted->size(), 1u);
    EXPECT_EQ((*interrupted)[0].target, "chat/a");
    const auto again = store().begin_action(restart("act_1"));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Errc::Conflict);
    EXPECT_TRUE(store().health()) << "a refusal is no fault of the disk";

    EXPECT_TRUE(store().finish_action("act_1", ActionStatus::Succeeded, "restarted in 3 s", at(9)));
    EXPECT_EQ(store().finish_action("act_1", ActionStatus::Failed, "", at(10)).error().code, Errc::Conflict);
    EXPECT_EQ(store().finish_action("act_2", ActionStatus::Failed, "", at(10)).error().code, Errc::NotFound);
    EXPECT_EQ(store().begin_action(restart("act_1")).error().code, Errc::Conflict);
    const auto finished = store().actions({.incident_id = "inc_1"});
    ASSERT_TRUE(finished);
    EXPECT_EQ((*finished)[0].status, ActionStatus::Succeeded);
    EXPECT_EQ((*finished)[0].result, "restarted in 3 s");
    EXPECT_EQ((*finished)[0].finished_at, at(9));
}

TEST_F(StateStoreTest, ActionsAreSelected) {
    for (std::int64_t i = 1; i <= 5; ++i) {
        auto action = restart("act_" + std::to_string(i), i * 100);
        action.target = i % 2 == 0 ? "chat/even" : "chat/odd";
        ASSERT_TRUE(store().begin_action(action));
    }
    EXPECT_EQ(store().actions({})->size(), 5u);
    EXPECT_EQ(store().actions({})->front().id, "act_5");
    EXPECT_EQ(store().actions({.target = "chat/odd"})->size(), 3u);
    EXPECT_EQ(store().actions({.target = "chat/odd", .intended_since = at(300)})->size(), 2u);
    EXPECT_EQ(store().actions({.policy = "other"})->size(), 0u);
    EXPECT_EQ(store().actions({.limit = 2})->size(), 2u);
}

// Versions and damage.

TEST_F(StateStoreTest, ADatabaseOfVersion1IsBroughtUp) {
    {
        auto old = Database::open(path());
        ASSERT_TRUE(old);
        ASSERT_TRUE(migrate(*old, 1));
        ASSERT_TRUE(old->execute("INSERT INTO documents VALUES ('incidents', 'o', 7, 'open', 3, '{}')"));
        ASSERT_FALSE(old->execute("SELECT * FROM settings")) << "not in version 1";
    }
    EXPECT_EQ(ids({.status = {"open"}}), "o");
    EXPECT_EQ(store().get(kIncidents, "o")->revision, 3);
    EXPECT_TRUE(store().set_value("new", "works"));
}

TEST_F(StateStoreTest, ANewerDatabaseIsRefused) {
    (void)store();
    store_.reset();
    {
        auto database = Database::open(path());
        ASSERT_TRUE(database);
        ASSERT_TRUE(database->execute("PRAGMA user_version = 99"));
    }
    const auto opened = StateStore::open(path());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::Conflict);
    EXPECT_NE(opened.error().message.find(path()), std::string::npos) << opened.error().message;
}

TEST_F(StateStoreTest, ADamagedFileIsNamed) {
    std::ofstream(path()) << std::string(8192, 'x');
    const auto garbage = StateStore::open(path());
    ASSERT_FALSE(garbage);
    EXPECT_EQ(garbage.error().code, Errc::Corruption) << garbage.error().message;
    EXPECT_NE(garbage.error().message.find(path()), std::string::npos) << garbage.error().message;

    fs::remove(path());
    for (int i = 0; i < 500; ++i) put("inc_" + std::to_string(i), i, "open", std::string(200, 'x'));
    store_.reset();
    {
        std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
        for (int page = 2; page < 20; ++page) {
            file.seekp(4096 * page);
            file << std::string(64, '\xEE');
        }
    }
    const auto damaged = StateStore::open(path());
    ASSERT_FALSE(damaged);
    EXPECT_EQ(damaged.error().code, Errc::Corruption) << damaged.error().message;
    EXPECT_NE(damaged.error().message.find(path()), std::string::npos) << damaged.error().message;
}

TEST_F(StateStoreTest, ManyThreads) {
    (void)store();
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([this, t] {
            for (int i = 0; i < 50; ++i) {
                put("t" + std::to_string(t), i, "open");
                EXPECT_TRUE(store_->list(kIncidents, {}));
            }
        });
    }
    for (auto& thread : threads) thread.join();
    for (int t = 0; t < 4; ++t) EXPECT_EQ(store().get(kIncidents, "t" + std::to_string(t))->revision, 50);
}

// A child begins and finishes actions and puts documents, and says so on a pipe after each; then it is killed.
[[noreturn]] void act_forever(const std::string& path, int pipe, int run) {
    auto store = StateStore::open(path);
    if (!store) _exit(1);
    for (int i = 0;; ++i) {
        const std::string id = std::to_string(run) + "-" + std::to_string(i);
        const bool ok = (*store)->begin_action({.id = id, .kind = "restart", .intended_at = at(i)}) &&
                        (*store)->put(kIncidents, {.id = id, .time = at(i)}) &&
                        (*store)->finish_action(id, ActionStatus::Succeeded, "", at(i));
        if (!ok) _exit(2);
        if (::write(pipe, &i, sizeof i) != sizeof i) _exit(3);
    }
}

TEST_F(StateStoreTest, NothingAcknowledgedIsMissingAfterAKill) {
    std::mt19937 random(std::random_device{}());
    for (int run = 0; run < 8; ++run) {
        std::array<int, 2> pipe{};
        ASSERT_EQ(::pipe(pipe.data()), 0);
        const pid_t child = ::fork();
        if (child == 0) act_forever(path(), pipe[1], run);
        ::close(pipe[1]);
        const int acknowledged_before_kill = 1 + static_cast<int>(random() % 10);
        int last = -1;
        int message = 0;
        while (::read(pipe[0], &message, sizeof message) == sizeof message) {
            last = message;
            if (last == acknowledged_before_kill) ::kill(child, SIGKILL);
        }
        ::close(pipe[0]);
        int status = 0;
        ::waitpid(child, &status, 0);
        ASSERT_TRUE(WIFSIGNALED(status)) << status;
        for (int i = 0; i <= last; ++i) {
            const std::string id = std::to_string(run) + "-" + std::to_string(i);
            EXPECT_TRUE(store().get(kIncidents, id)) << id;
            EXPECT_EQ(store().begin_action({.id = id}).error().code, Errc::Conflict);
        }
        const auto open = store().actions({.status = ActionStatus::Intended});
        ASSERT_TRUE(open);
        EXPECT_LE(open->size(), static_cast<std::size_t>(run + 1)) << "at most one a run was under way";
        store_.reset();
    }
}

}  // namespace
}  // namespace stoker::state
