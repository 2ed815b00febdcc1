// Any bytes as a compressed body: no crash, nothing past the limit, and what was compressed here comes back.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "wire/compression.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stoker::wire;
    const std::string_view body(reinterpret_cast<const char*>(data), size);
    constexpr std::size_t kMost = 1 << 20;
    for (const char* encoding : {"gzip", "deflate", "zstd", "snappy"}) {
        const auto out = decompress(encoding, body, kMost);
        if (out ? out->size() > kMost : out.error().message.empty()) std::abort();
    }
    const auto gzip = decompress("gzip", gzip_compress(body), kMost);
    const auto zstd = decompress("zstd", zstd_compress(body), kMost);
    const auto snappy = decompress("snappy", snappy_compress(body), kMost);
    if (!gzip || *gzip != body || !zstd || *zstd != body || !snappy || *snappy != body) std::abort();
    return 0;
}
