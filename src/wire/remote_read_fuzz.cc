// Any bytes as a remote-read request, and any series of samples as a chunk: no crash, limits held.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "wire/remote_read.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stoker::wire;
    const std::string_view message(reinterpret_cast<const char*>(data), size);
    if (const auto request = decode_read_request(message, {.max_queries = 5, .max_matchers = 3})) {
        if (request->queries.size() > 5) {
            std::abort();
        }
        for (const auto& query : request->queries) {
            if (query.matchers.size() > 3) {
                std::abort();
            }
        }
    }
    XorChunk chunk;
    for (std::size_t at = 0; at + 16 <= size && chunk.count() < XorChunk::kMaxSamples; at += 16) {
        std::int64_t time = 0;
        double value = 0;
        std::memcpy(&time, data + at, sizeof(time));
        std::memcpy(&value, data + at + 8, sizeof(value));
        chunk.append(time, value);
    }
    (void)chunk.take();
    return 0;
}
