#include "net/redis_protocol.h"

#include <hiredis/hiredis.h>

#include <charconv>
#include <new>

namespace stoker::net {
namespace {

RedisValue value_of(const redisReply& reply) {
    RedisValue value;
    switch (reply.type) {
        case REDIS_REPLY_INTEGER:
            value.kind = RedisValue::Kind::Integer;
            value.integer = reply.integer;
            break;
        case REDIS_REPLY_STRING:
        case REDIS_REPLY_STATUS:
            value.kind = RedisValue::Kind::Text;
            value.text.assign(reply.str, reply.len);
            break;
        case REDIS_REPLY_ERROR:
            value.kind = RedisValue::Kind::Error;
            value.text.assign(reply.str, reply.len);
            break;
        case REDIS_REPLY_ARRAY:
            value.kind = RedisValue::Kind::List;
            value.list.reserve(reply.elements);
            for (std::size_t i = 0; i < reply.elements; ++i) value.list.push_back(value_of(*reply.element[i]));
            break;
        default:
            break;
    }
    return value;
}

}  // namespace

std::optional<double> RedisValue::number() const {
    if (kind == Kind::Integer) return static_cast<double>(integer);
    if (kind != Kind::Text) return {};
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return {};
    return number;
}

std::string redis_command(const std::vector<std::string>& arguments) {
    std::vector<const char*> texts;
    std::vector<std::size_t> lengths;
    for (const std::string& argument : arguments) {
        texts.push_back(argument.data());
        lengths.push_back(argument.size());
    }
    char* formatted = nullptr;
    const int length = redisFormatCommandArgv(&formatted, static_cast<int>(texts.size()), texts.data(), lengths.data());
    if (length < 0) throw std::bad_alloc();
    std::string command(formatted, static_cast<std::size_t>(length));
    redisFreeCommand(formatted);
    return command;
}

void RedisReader::Free::operator()(redisReader* reader) const {
    redisReaderFree(reader);
}

RedisReader::RedisReader() : reader_(redisReaderCreate()) {
    if (!reader_) throw std::bad_alloc();
}

RedisReader::~RedisReader() = default;

void RedisReader::feed(std::string_view bytes) {
    // What it says of failing is said again by next().
    (void)redisReaderFeed(reader_.get(), bytes.data(), bytes.size());
}

Result<std::optional<RedisValue>> RedisReader::next() {
    void* got = nullptr;
    if (redisReaderGetReply(reader_.get(), &got) != REDIS_OK) {
        return Error{Errc::Corruption, std::string("not a reply of Redis: ") + reader_->errstr};
    }
    if (got == nullptr) return std::optional<RedisValue>();
    const std::unique_ptr<void, decltype(&freeReplyObject)> reply(got, &freeReplyObject);
    return std::optional<RedisValue>(value_of(*static_cast<const redisReply*>(got)));
}

}  // namespace stoker::net
