// The protocol and the URL by tables. The connection is tested against a real Redis in test/shared_limits.test.mjs.
#include "net/redis.h"

#include <gtest/gtest.h>

namespace stoker::net {
namespace {

std::string show(const RedisValue& value) {
    switch (value.kind) {
        case RedisValue::Kind::Nil:
            return "nil";
        case RedisValue::Kind::Integer:
            return std::to_string(value.integer);
        case RedisValue::Kind::Text:
            return "'" + value.text + "'";
        case RedisValue::Kind::Error:
            return "!" + value.text;
        case RedisValue::Kind::List:
            break;
    }
    std::string text = "[";
    for (const RedisValue& each : value.list) text += show(each) + " ";
    return text + "]";
}

// All replies in `bytes`, which come `piece` at a time.
std::string replies(const std::string& bytes, std::size_t piece) {
    RedisReader reader;
    std::string text;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        reader.feed(std::string_view(bytes).substr(at, piece));
        for (;;) {
            const auto reply = reader.next();
            if (!reply) return text + "corrupt";
            if (!*reply) break;
            text += show(**reply) + ";";
        }
    }
    return text;
}

TEST(RedisProtocol, ReadsRepliesHoweverTheyCome) {
    const std::string bytes =
        "+OK\r\n:42\r\n$5\r\na\r\nbc\r\n$-1\r\n-NOSCRIPT no\r\n*3\r\n:1\r\n*1\r\n$1\r\nx\r\n*0\r\n";
    for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
        EXPECT_EQ(replies(bytes, piece), "'OK';42;'a\r\nbc';nil;!NOSCRIPT no;[1 ['x' ] [] ];") << piece;
    }
    EXPECT_EQ(replies("+OK\r\nHTTP/1.1 400\r\n", 100), "'OK';corrupt");
}

TEST(RedisProtocol, CommandsMayHoldAnyBytes) {
    EXPECT_EQ(redis_command({"SET", std::string("a\0b", 3), ""}),
              std::string("*3\r\n$3\r\nSET\r\n$3\r\na\0b\r\n$0\r\n\r\n", 28));
}

TEST(RedisUrl, SaysWhereAndWho) {
    struct Row {
        const char* url;
        const char* host;
        const char* port;
        const char* user;
        const char* password;
        int database;
        bool tls;
    };
    const Row rows[] = {
        {"redis://cache", "cache", "6379", "", "", 0, false},
        {"redis://cache:80", "cache", "80", "", "", 0, false},
        {"redis://cache:7000/3", "cache", "7000", "", "", 3, false},
        {"rediss://:s%40crt%2F@10.0.0.1/", "10.0.0.1", "6379", "", "s@crt/", 0, true},
        {"redis://stoker:a:b@cache/15", "cache", "6379", "stoker", "a:b", 15, false},
    };
    for (const Row& row : rows) {
        const auto options = parse_redis_url(row.url);
        ASSERT_TRUE(options) << row.url;
        EXPECT_EQ(options->host, row.host) << row.url;
        EXPECT_EQ(options->port, row.port) << row.url;
        EXPECT_EQ(options->user, row.user) << row.url;
        EXPECT_EQ(options->password, row.password) << row.url;
        EXPECT_EQ(options->database, row.database) << row.url;
        EXPECT_EQ(options->use_tls, row.tls) << row.url;
    }
    for (const char* url : {"", "cache:6379", "http://cache", "redis://", "redis://me@cache", "redis://cache/x",
                            "redis://:%zz@cache", "redis://cache:99999999"}) {
        EXPECT_FALSE(parse_redis_url(url)) << url;
    }
}

}  // namespace
}  // namespace stoker::net
