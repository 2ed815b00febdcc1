// Commands for Redis and its replies, as values (RESP, version 2). hiredis formats and reads them; nothing else knows
// it.
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

struct redisReader;

namespace stoker::net {

struct RedisValue {
    enum class Kind : std::uint8_t { Nil, Integer, Text, Error, List };
    Kind kind = Kind::Nil;
    std::int64_t integer = 0;
    std::string text{};  // Of Text and Error.
    std::vector<RedisValue> list{};

    // A number that came as one or as text; empty for anything else.
    std::optional<double> number() const;
};

// One command as it goes over the wire. REQUIRES: at least one argument.
std::string redis_command(const std::vector<std::string>& arguments);

class RedisReader {
public:
    RedisReader();
    ~RedisReader();
    RedisReader(const RedisReader&) = delete;
    RedisReader& operator=(const RedisReader&) = delete;

    void feed(std::string_view bytes);
    // The next whole reply; empty if more bytes are needed. Errors: Corruption, after which nothing more can be read.
    Result<std::optional<RedisValue>> next();

private:
    struct Free {
        void operator()(redisReader* reader) const;
    };
    std::unique_ptr<redisReader, Free> reader_;
};

}  // namespace stoker::net
