// Databases of older versions: what is in them stays, and what was added is empty there.
#include "records/schema.h"

#include <gtest/gtest.h>

#include "records/testing.h"

namespace stoker::records {
namespace {

class SchemaTest : public ::testing::Test {
protected:
    SchemaTest() {
        EXPECT_EQ(duckdb_open(nullptr, database_.out()), DuckDBSuccess);
        auto connection = duck::Connection::open(database_.get());
        EXPECT_TRUE(connection);
        connection_.emplace(*std::move(connection));
    }

    std::string text(const std::string& sql) {
        auto value = connection_->text(sql);
        EXPECT_TRUE(value) << (value ? "" : value.error().message);
        return value ? value->value_or("null") : "";
    }

    duck::DatabaseHandle database_;
    std::optional<duck::Connection> connection_;
};

TEST_F(SchemaTest, VersionOneGetsAnEmptyKeyId) {
    ASSERT_TRUE(migrate(*connection_, 1));
    ASSERT_TRUE(connection_->run(
        "INSERT INTO requests VALUES (7, TIMESTAMP '2026-01-01', 'req_old', 't', '/v1/completions', 'tiny', 'chat', "
        "'', "
        "'acme', 'c', true, 200, 'ok', '', 'stop', 1, 2, 0, 'engine', 5, NULL, NULL, NULL, 3, 4, 5, '[]')"));
    ASSERT_TRUE(migrate(*connection_));
    EXPECT_EQ(text("SELECT id || '/' || tenant || '/' || key_id || '.' FROM requests"), "req_old/acme/.");

    duck::AppenderHandle appender;
    ASSERT_EQ(duckdb_appender_create(connection_->raw(), nullptr, "requests", appender.out()), DuckDBSuccess);
    RequestRecord record = testing::request("req_new");
    record.key_id = "abc";
    ASSERT_TRUE(append_row(appender.get(), 8, record));
    ASSERT_EQ(duckdb_appender_flush(appender.get()), DuckDBSuccess);
    EXPECT_EQ(text("SELECT key_id FROM requests WHERE id = 'req_new'"), "abc");
    EXPECT_EQ(text("SELECT attempts->0->>'replica' FROM requests WHERE id = 'req_new'"), "chat/127.0.0.1:9001");
}

TEST_F(SchemaTest, VersionThreeGetsEmptyRoutes) {
    ASSERT_TRUE(migrate(*connection_, 3));
    ASSERT_TRUE(connection_->run(
        "INSERT INTO requests VALUES (7, TIMESTAMP '2026-01-01', 'req_old', 't', '/v1/completions', 'tiny', 'chat', "
        "'', 'acme', 'c', true, 200, 'ok', '', 'stop', 1, 2, 0, 'engine', 5, NULL, NULL, NULL, 3, 4, 5, '[]', 'key', "
        "'', '', '', 0, 0, 0, NULL, NULL, NULL, NULL, '', 0)"));
    ASSERT_TRUE(migrate(*connection_));
    EXPECT_EQ(text("SELECT key_id || rule || split || arm || shadow || shadow_of || '.' FROM requests"), "key.");

    duck::AppenderHandle appender;
    ASSERT_EQ(duckdb_appender_create(connection_->raw(), nullptr, "requests", appender.out()), DuckDBSuccess);
    RequestRecord record = testing::request("req_new");
    record.rule = "nights";
    record.split = "half";
    record.arm = "green";
    ASSERT_TRUE(append_row(appender.get(), 8, record));
    ASSERT_EQ(duckdb_appender_flush(appender.get()), DuckDBSuccess);
    EXPECT_EQ(text("SELECT rule || ' ' || split || '=' || arm FROM requests WHERE rule <> ''"), "nights half=green");
}

TEST_F(SchemaTest, VersionFiveKnowsNotHowLongCachesAndWritingTook) {
    ASSERT_TRUE(migrate(*connection_, 5));
    ASSERT_TRUE(connection_->run(
        "INSERT INTO requests VALUES (7, TIMESTAMP '2026-01-01', 'req_old', 't', '/v1/completions', 'tiny', 'chat', "
        "'', 'acme', 'c', true, 200, 'ok', '', 'stop', 1, 2, 0, 'engine', 5, NULL, NULL, NULL, 3, 4, 5, '[]', 'key', "
        "'', '', '', 0, 0, 0, NULL, NULL, NULL, NULL, '', 0, 0, '', '', '', '', '')"));
    ASSERT_TRUE(migrate(*connection_));
    EXPECT_EQ(text("SELECT cache_ns IS NULL AND write_ns IS NULL FROM requests"), "true");
    duck::AppenderHandle appender;
    ASSERT_EQ(duckdb_appender_create(connection_->raw(), nullptr, "requests", appender.out()), DuckDBSuccess);
    RequestRecord record = testing::request("req_new");
    record.cache_ns = 3;
    record.write_ns = 4;
    ASSERT_TRUE(append_row(appender.get(), 8, record));
    ASSERT_EQ(duckdb_appender_flush(appender.get()), DuckDBSuccess);
    EXPECT_EQ(text("SELECT cache_ns || '/' || write_ns FROM requests WHERE id = 'req_new'"), "3/4");
}

TEST_F(SchemaTest, ANewerOneIsRefused) {
    ASSERT_TRUE(migrate(*connection_));
    EXPECT_EQ(migrate(*connection_, 1).error().code, Errc::Conflict);
}

}  // namespace
}  // namespace stoker::records
