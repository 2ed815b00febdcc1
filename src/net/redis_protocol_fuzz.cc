// Any bytes are replies, wait for more, or are refused; never more than that, in one piece or in two.
#include <cstddef>
#include <cstdint>

#include "net/redis_protocol.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    stoker::net::RedisReader reader;
    for (const std::string_view piece : {bytes.substr(0, size / 2), bytes.substr(size / 2)}) {
        reader.feed(piece);
        for (;;) {
            const auto reply = reader.next();
            if (!reply) return 0;
            if (!*reply) break;
            (void)(*reply)->number();
        }
    }
    return 0;
}
