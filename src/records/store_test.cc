#include "records/store.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <thread>

#include "records/testing.h"

namespace stoker::records {
namespace {

namespace fs = std::filesystem;
using testing::append;
using testing::request;
using testing::TemporaryDirectory;

constexpr std::int64_t kStart = 1'700'000'000'000;

class RecordStoreTest : public ::testing::Test {
protected:
    void SetUp() override { reopen(); }

    void reopen() {
        store_.reset();
        journal_.reset();
        auto journal = journal::Journal::open(directory_ / "journal", {});
        ASSERT_TRUE(journal) << journal.error().message;
        journal_ = *std::move(journal);
        auto store = RecordStore::open(directory_ / "records", {});
        ASSERT_TRUE(store) << store.error().message;
        store_ = *std::move(store);
    }
    std::string database() const { return directory_ / "records/records.duckdb"; }

    std::size_t load() {
        const auto loaded = store_->load(*journal_);
        EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error().message);
        return loaded ? *loaded : 0;
    }

    // Ids that a filter selects, in order.
    std::string ids(const RequestFilter& filter) {
        const auto page = store_->list(filter);
        EXPECT_TRUE(page) << (page ? "" : page.error().message);
        std::string out;
        total_ = page ? page->total : 0;
        if (page) {
            for (const auto& record : page->requests) out += (out.empty() ? "" : " ") + record.id;
        }
        return out;
    }

    // The rows of a statement, or "code: message".
    std::string sql(const std::string& query, SqlLimits limits = {}) {
        const auto result = store_->sql(query, limits);
        if (!result) return std::string(to_string(result.error().code)) + ": " + result.error().message;
        std::string out;
        for (const auto& row : result->rows) out += row;
        return out + (result->truncated ? "..." : "");
    }

    TemporaryDirectory directory_;
    std::unique_ptr<journal::Journal> journal_;
    std::unique_ptr<RecordStore> store_;
    std::uint64_t total_ = 0;
};

TEST_F(RecordStoreTest, ShowsARequestRightAfterItsAppend) {
    append(*journal_, request("req_1"));
    EXPECT_EQ(load(), 1u);
    EXPECT_EQ(load(), 0u);
    const auto record = store_->get("req_1");
    ASSERT_TRUE(record) << record.error().message;
    EXPECT_EQ(to_json(*record), to_json(request("req_1")));
    EXPECT_EQ(store_->get("req_2").error().code, Errc::NotFound);
}

TEST_F(RecordStoreTest, LoadsEachRecordOnceHoweverOftenItIsReopened) {
    for (int round = 0; round < 4; ++round) {
        for (int i = 0; i < 10; ++i) append(*journal_, request("req_" + std::to_string(round * 10 + i)));
        if (round % 2 == 0) reopen();
        load();
    }
    EXPECT_EQ(sql("SELECT count(*), count(DISTINCT id), count(DISTINCT sequence) FROM requests"), "[40,40,40]");
}

TEST_F(RecordStoreTest, ACopyGoesOnWhereTheOriginalWas) {
    append(*journal_, request("req_1"));
    load();
    ASSERT_TRUE(store_->copy_to(directory_ / "copy"));
    append(*journal_, request("req_2"));
    load();
    auto copy = RecordStore::open(directory_ / "copy", {});
    ASSERT_TRUE(copy) << copy.error().message;
    EXPECT_EQ((*copy)->list({})->total, 1u);
    EXPECT_EQ(*(*copy)->load(*journal_), 1u);
    EXPECT_EQ((*copy)->list({})->total, 2u);
    EXPECT_EQ((*copy)->repaired(), "");
}

TEST_F(RecordStoreTest, SkipsWhatIsNotARequestRecord) {
    append(*journal_, request("req_1"));
    ASSERT_TRUE(journal_->append(journal::Kind::Request, "{not json", from_millis(1)));
    ASSERT_TRUE(journal_->append(journal::Kind::Audit, "something else", from_millis(1)));
    append(*journal_, request("req_2"));
    EXPECT_EQ(load(), 2u);
    EXPECT_EQ(store_->counts().skipped, 1u);
    EXPECT_EQ(store_->counts().last_sequence, 4u);
    reopen();
    EXPECT_EQ(store_->counts().skipped, 1u);
    EXPECT_EQ(load(), 0u);
}

TEST_F(RecordStoreTest, Filters) {
    auto slow = request("slow", kStart + 1000);
    slow.duration_ns = 5'000'000'000;
    slow.model = "Big-Model";
    auto failed = request("failed", kStart + 2000);
    failed.status = 502;
    failed.outcome = "upstream_error";
    failed.error = "connect_refused";
    failed.stream = false;
    failed.ttft_ns = 0;
    failed.completion_tokens = 0;
    for (const auto& record : {request("plain", kStart), slow, failed}) append(*journal_, record);
    load();

    EXPECT_EQ(ids({}), "failed slow plain");
    EXPECT_EQ(ids({.ascending = true}), "plain slow failed");
    EXPECT_EQ(ids({.from = from_millis(kStart + 1000)}), "failed slow");
    EXPECT_EQ(ids({.to = from_millis(kStart + 1000)}), "plain");
    EXPECT_EQ(ids({.model = "tiny"}), "failed plain");
    EXPECT_EQ(ids({.outcome = "upstream_error"}), "failed");
    EXPECT_EQ(ids({.id = "slow"}), "slow");
    EXPECT_EQ(ids({.text = "big-m"}), "slow");
    EXPECT_EQ(ids({.text = "REFUSED"}), "failed");
    EXPECT_EQ(ids({.text = "'; DROP TABLE requests; --"}), "");
    EXPECT_EQ(ids({.text = "%"}), "");
    EXPECT_EQ(ids({.status_from = 500, .status_to = 599}), "failed");
    EXPECT_EQ(ids({.stream = true}), "slow plain");
    EXPECT_EQ(ids({.min_duration = std::chrono::seconds(2)}), "slow");
    EXPECT_EQ(ids({.sort = SortBy::Duration, .limit = 1}), "slow");
    EXPECT_EQ(total_, 3u);
    EXPECT_EQ(ids({.sort = SortBy::Ttft, .ascending = true}), "plain slow failed") << "unknown comes last";
    EXPECT_EQ(ids({.limit = 1, .offset = 1}), "slow");
    EXPECT_EQ(ids({.limit = 0}), "");
    EXPECT_EQ(total_, 3u);
}

TEST_F(RecordStoreTest, ASearchForATextEndsWithItsBudget) {
    constexpr std::int64_t kHour = 3'600'000;
    for (std::int64_t hour = 0; hour < 10; ++hour) append(*journal_, request("some", kStart + hour * kHour));
    const std::string own = "req_018bd2789600aaaa";  // Made 12 h after kStart, by its digits.
    append(*journal_, request(own, kStart + 12 * kHour));
    load();

    const auto all = store_->list({.text = "SOME", .limit = 3, .budget = std::chrono::minutes(1)});
    ASSERT_TRUE(all);
    EXPECT_TRUE(all->complete);
    EXPECT_EQ(all->total, 10u);
    EXPECT_EQ(all->requests.size(), 3u);
    EXPECT_EQ(all->requests[0].time_ms, kStart + 9 * kHour);
    const auto some = store_->list({.text = "some", .budget = Duration{0}});
    ASSERT_TRUE(some);
    EXPECT_FALSE(some->complete);
    EXPECT_EQ(some->total, 0u);
    EXPECT_EQ(to_millis(some->searched_from), kStart + 12 * kHour + 1 - 600'000);
    // By a whole id of ours it is looked for where it must be.
    const auto found = store_->list({.text = own, .budget = Duration{0}});
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->complete);
    EXPECT_EQ(found->requests.size(), 1u);
    EXPECT_EQ(ids({.text = "some", .limit = 1, .offset = 9, .budget = std::chrono::minutes(1)}), "some");
    EXPECT_EQ(ids({.text = "some", .sort = SortBy::Duration, .limit = 1, .budget = std::chrono::minutes(1)}), "some");
}

TEST_F(RecordStoreTest, RemovesOldRequests) {
    for (int i = 0; i < 10; ++i) append(*journal_, request(std::to_string(i), kStart + i));
    load();
    const auto removed = store_->remove_before(from_millis(kStart + 7));
    ASSERT_TRUE(removed) << removed.error().message;
    EXPECT_EQ(*removed, 7u);
    EXPECT_EQ(ids({}), "9 8 7");
    EXPECT_EQ(load(), 0u) << "what was removed does not come back";
}

TEST_F(RecordStoreTest, AnotherJournalStartsOver) {
    append(*journal_, request("old"));
    append(*journal_, request("older"));
    load();
    journal_.reset();
    fs::remove_all(directory_ / "journal");
    reopen();
    append(*journal_, request("new"));
    EXPECT_EQ(load(), 1u);
    EXPECT_EQ(sql("SELECT count(*) FROM requests"), "[3]");
}

// Damage.

TEST_F(RecordStoreTest, ADamagedDatabaseIsRebuiltFromTheJournal) {
    for (int i = 0; i < 50; ++i) append(*journal_, request("req_" + std::to_string(i)));
    load();
    store_.reset();
    {
        std::fstream file(database(), std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(0);
        file << std::string(12'288, '?');
    }
    reopen();
    EXPECT_NE(store_->repaired().find("records.duckdb was damaged"), std::string::npos) << store_->repaired();
    EXPECT_EQ(load(), 50u);
    EXPECT_EQ(sql("SELECT count(DISTINCT id) FROM requests"), "[50]");
}

TEST_F(RecordStoreTest, DamageInTheMiddleIsFoundWhenReadAndRepaired) {
    for (int i = 0; i < 5000; ++i) append(*journal_, request("req_" + std::to_string(i) + std::string(100, 'x')));
    load();
    store_.reset();
    const auto size = fs::file_size(database());
    ASSERT_GT(size, 300'000u);
    {
        std::fstream file(database(), std::ios::in | std::ios::out | std::ios::binary);
        for (std::uint64_t offset = 12'288 + 1000; offset < size; offset += 5000) {
            file.seekp(static_cast<std::streamoff>(offset));
            file << "damage";
        }
    }
    reopen();
    if (store_->repaired().empty()) {
        (void)store_->list({.text = "req"});
        EXPECT_FALSE(store_->repaired().empty());
    }
    load();
    EXPECT_EQ(ids({.limit = 1}).size(), 108u);
    EXPECT_EQ(total_, 5000u);
}

// A child opens the store, says so on a pipe, and waits to be killed.
TEST(RecordStoreProcess, AnotherProcessIsRefusedAndNothingIsMovedAside) {
    const TemporaryDirectory directory;
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        const auto held = RecordStore::open(directory / "records", {});
        const char answer = held ? 'y' : 'n';
        if (::write(pipe[1], &answer, 1) != 1) _exit(1);
        for (;;) ::pause();
    }
    char answer = 0;
    ASSERT_EQ(::read(pipe[0], &answer, 1), 1);
    ASSERT_EQ(answer, 'y');
    const auto second = RecordStore::open(directory / "records", {});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::Conflict) << second.error().message;
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ::close(pipe[0]);
    ::close(pipe[1]);
    const auto third = RecordStore::open(directory / "records", {});
    ASSERT_TRUE(third) << third.error().message;
    EXPECT_EQ((*third)->repaired(), "");
}

// SQL.

TEST_F(RecordStoreTest, AnswersSqlWithTypesAndNulls) {
    auto first = request("a");
    first.ttft_ns = 0;
    append(*journal_, first);
    append(*journal_, request("b"));
    load();
    const auto result = store_->sql("SELECT id, time, ttft_ns, stream FROM requests ORDER BY id", {});
    ASSERT_TRUE(result) << result.error().message;
    auto answer = *result;
    answer.elapsed = Duration(3);
    EXPECT_EQ(to_json(answer),
              R"({"columns":[{"name":"id","type":"VARCHAR"},{"name":"time","type":"TIMESTAMP"},)"
              R"({"name":"ttft_ns","type":"BIGINT"},{"name":"stream","type":"BOOLEAN"}],)"
              R"("rows":[["a","2023-11-14T22:13:20Z",null,true],["b","2023-11-14T22:13:20Z",50000000,true]],)"
              R"("truncated":false,"elapsed_ms":3})");
}

TEST_F(RecordStoreTest, SqlValues) {
    const std::pair<const char*, const char*> table[] = {
        {"SELECT 9007199254740992, 9007199254740993, -9007199254740993",
         R"([9007199254740992,"9007199254740993","-9007199254740993"])"},
        {"SELECT 170141183460469231731687303715884105727::HUGEINT, sum(5) FROM range(2)",
         R"(["170141183460469231731687303715884105727",10])"},
        {"SELECT 1.5::DOUBLE, 'nan'::DOUBLE, '-inf'::DOUBLE, 1.25::DECIMAL(9,2), -0.05::DECIMAL(9,2)",
         R"([1.5,"NaN","-Infinity",1.25,-0.05])"},
        {"SELECT 12345678901234567.89::DECIMAL(30,2)", R"(["12345678901234567.89"])"},
        {"SELECT NULL, true, 'q\"\\', 'ä'", R"([null,true,"q\"\\","ä"])"},
        {"SELECT DATE '1969-12-31', TIMESTAMP '1969-12-31 23:59:59.5', TIME '01:02:03'",
         R"(["1969-12-31","1969-12-31T23:59:59.500000Z","01:02:03"])"},
        {"SELECT [1,NULL,3], {'a': 1, 'b': [2]}, MAP {'k': 'v'}",
         R"([[1,null,3],{"a":1,"b":[2]},[{"key":"k","value":"v"}]])"},
        {"SELECT '00112233-4455-6677-8899-aabbccddeeff'::UUID, '\\xAA\\x01'::BLOB",
         R"(["00112233-4455-6677-8899-aabbccddeeff","aa01"])"},
        {"SELECT 'b'::ENUM('a','b'), INTERVAL 1 DAY, [1,2]::INTEGER[2]", R"(["b","0 months 1 days 00:00:00",[1,2]])"},
        {"SELECT 18446744073709551615::UBIGINT, 255::UTINYINT", R"(["18446744073709551615",255])"},
    };
    for (const auto& [query, rows] : table) EXPECT_EQ(sql(query), rows) << query;
    EXPECT_FALSE(sql("SELECT * FROM test_vector_types(NULL::INTEGER)").empty());
}

TEST_F(RecordStoreTest, SqlReads) {
    append(*journal_, request("a"));
    load();
    for (const char* query : {
             "SELECT 1",
             "  select 1 ; ",
             "WITH a AS (SELECT 1) SELECT * FROM a",
             "FROM requests",
             "VALUES (1)",
             "DESCRIBE requests",
             "SHOW TABLES",
             "SUMMARIZE requests",
             "EXPLAIN SELECT count(*) FROM requests",
             "explain /* why */ analyze SELECT count(*) FROM requests",
             "EXPLAIN (FORMAT JSON) SELECT 1",
             "SELECT * FROM range(3), unnest([1,2])",
             "SELECT model, quantile_disc(ttft_ns, [0.5, 0.99]) FROM requests GROUP BY model",
             "SELECT time_bucket(INTERVAL 5 MINUTE, time) AS t, count(*) FROM requests GROUP BY t ORDER BY t",
             "SELECT json_extract(attempts, '$[0].status') FROM requests",
             "SELECT a.value->>'replica' FROM requests, json_each(attempts) AS a",
             "SELECT 'checkpoint(); DROP TABLE requests' AS \"query\"",
         }) {
        EXPECT_EQ(sql(query)[0], '[') << query << ": " << sql(query);
    }
}

TEST_F(RecordStoreTest, SqlCanNotReachAnythingElse) {
    append(*journal_, request("a"));
    load();
    const std::string out = directory_ / "out";
    std::ofstream(directory_ / "in.csv") << "a,b\n1,2\n";
    const std::vector<std::string> attempts = {
        "",
        ";",
        "-- only a comment",
        "SELECT 1; SELECT 2",
        "DELETE FROM requests",
        "UPDATE requests SET status = 1",
        "INSERT INTO loaded VALUES ('x', 1, 1)",
        "DROP TABLE requests",
        "CREATE TABLE t AS SELECT 1",
        "CREATE TEMP TABLE t AS SELECT 1",
        "CREATE MACRO f() AS 1",
        "TRUNCATE requests",
        "ALTER TABLE requests ADD COLUMN x INTEGER",
        "BEGIN",
        "COMMIT",
        "ROLLBACK",
        "CHECKPOINT",
        "VACUUM",
        "ANALYZE",
        "SET threads = 8",
        "RESET memory_limit",
        "SET enable_external_access = true",
        "PRAGMA enable_profiling",
        "PRAGMA table_info('requests')",
        "CALL checkpoint()",
        "USE main",
        "LOAD httpfs",
        "INSTALL httpfs",
        "ATTACH '" + out + "'",
        "DETACH records",
        "EXPORT DATABASE '" + out + "'",
        "IMPORT DATABASE '" + out + "'",
        "COPY requests TO '" + out + "'",
        "COPY (SELECT 1) TO '" + out + "'",
        "COPY requests FROM '" + (directory_ / "in.csv") + "'",
        "PREPARE p AS SELECT 1",
        "EXECUTE p",
        "EXPLAIN DELETE FROM requests",
        "EXPLAIN ANALYZE DELETE FROM requests",
        "EXPLAIN ANALYZE CHECKPOINT",
        "EXPLAIN (ANALYZE) DELETE FROM requests",
        "EXPLAIN ANALYZE COPY requests TO '" + out + "'",
        "/* SELECT */ DELETE FROM requests",
        "SELECT * FROM read_csv('" + (directory_ / "in.csv") + "')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM '" + (directory_ / "in.csv") + "'",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM parquet_metadata('/etc/passwd')",
        "SELECT * FROM sniff_csv('/etc/passwd')",
        "SELECT * FROM duckdb_secrets()",
        "SELECT * FROM checkpoint()",
        "SELECT * FROM Force_Checkpoint()",
        "SELECT * FROM \"force_checkpoint\"()",
        "SELECT * FROM (SELECT * FROM enable_logging())",
        "WITH a AS (SELECT * FROM truncate_duckdb_logs()) SELECT * FROM a",
        "SELECT (SELECT count(*) FROM query('SELECT 1'))",
        "SELECT * FROM query_table('requests')",
        "SELECT * FROM json_execute_serialized_sql('{}')",
        "SELECT * FROM arrow_scan(1, 2, 3)",
        "SELECT write_log('x')",
        "SELECT getenv('HOME')",
        "SELECT * FROM requests WHERE id = ?",
        "SELECT * FROM nowhere",
        "SELEC 1",
        "SELECT error('Corrupt database file')",
        "PIVOT requests ON model USING count(*)",
        std::string("SELECT 1\0; DELETE FROM requests", 31),
        std::string(300'000, ' ') + "SELECT 1",
        "SELECT " + std::string(5000, '[') + "1" + std::string(5000, ']'),
    };
    for (const std::string& query : attempts) {
        const auto result = store_->sql(query, {});
        EXPECT_FALSE(result) << query.substr(0, 200);
        EXPECT_TRUE(result || !result.error().message.empty());
    }
    EXPECT_FALSE(fs::exists(out));
    EXPECT_EQ(sql("SELECT count(*) FROM requests"), "[1]");
    EXPECT_TRUE(store_->repaired().empty()) << "an error of the user's making is no damage";
}

TEST_F(RecordStoreTest, SqlLimits) {
    EXPECT_EQ(sql("SELECT * FROM range(5)", {.max_rows = 3}), "[0][1][2]...");
    EXPECT_EQ(sql("SELECT * FROM range(3)", {.max_rows = 3}), "[0][1][2]");
    EXPECT_TRUE(
        sql("SELECT repeat('x', 1000) FROM range(1000)", {.max_rows = 1000, .max_bytes = 5000}).ends_with("..."));

    const auto start = std::chrono::steady_clock::now();
    const auto slow = store_->sql("SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range = 7",
                                  {.timeout = Duration(200)});
    ASSERT_FALSE(slow);
    EXPECT_EQ(slow.error().code, Errc::DeadlineExceeded) << slow.error().message;
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));

    EXPECT_EQ(sql("SELECT 1"), "[1]") << "and the store lives on";
}

TEST_F(RecordStoreTest, SqlMemoryIsBounded) {
    auto small = RecordStore::open(directory_ / "small", {.memory_limit = {64ull << 20}});
    ASSERT_TRUE(small) << small.error().message;
    const auto result = (*small)->sql("SELECT list(range || repeat('x', 1000)) FROM range(10000000)", {});
    ASSERT_FALSE(result);
    EXPECT_TRUE(result.error().code == Errc::ResourceExhausted || result.error().code == Errc::DeadlineExceeded)
        << result.error().message;
}

TEST_F(RecordStoreTest, EveryoneAtOnce) {
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    threads.emplace_back([&] {
        for (int i = 0; i < 300; ++i) append(*journal_, request("req_" + std::to_string(i), kStart + i));
        stop = true;
    });
    threads.emplace_back([&] {
        while (!stop) load();
    });
    threads.emplace_back([&] {
        while (!stop) EXPECT_TRUE(store_->list({}));
    });
    threads.emplace_back([&] {
        while (!stop) EXPECT_TRUE(store_->sql("SELECT count(*) FROM requests", {}));
    });
    for (auto& thread : threads) thread.join();
    load();
    EXPECT_EQ(sql("SELECT count(DISTINCT id) FROM requests"), "[300]");
}

}  // namespace
}  // namespace stoker::records
