// Compressed bodies: gzip, deflate, zstd and snappy's block format, by the names that Content-Encoding gives them.
//
// Outside bytes decide how much comes out, so every call is bounded by its caller and memory grows with what was really
// decoded, never with what a header claims. Pure functions are thread-safe; an Inflater belongs to one thread.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace stoker::wire {

// The body as it was before `content_encoding` ("" and "identity" leave it alone; gzip, x-gzip, deflate, zstd, snappy,
// in any case). Errors: InvalidArgument (unknown encoding, corrupt or cut body, text after its end), ResourceExhausted
// (more than `most` bytes).
Result<std::string> decompress(std::string_view content_encoding, std::string_view body, std::size_t most);

std::string gzip_compress(std::string_view body, int level = 6);
std::string zstd_compress(std::string_view body, int level = 1);
std::string snappy_compress(std::string_view body);

// Decompresses a stream piece by piece, in constant memory. Members and frames one after another are one stream.
class Inflater {
public:
    // Of zstd, frames with a window above 2^kWindowLog are refused: RFC 9659 lets nobody send them over HTTP.
    static constexpr int kWindowLog = 23;

    // gzip, x-gzip, deflate or zstd. Errors: InvalidArgument.
    static Result<std::unique_ptr<Inflater>> create(std::string_view encoding, int zstd_window_log = kWindowLog);
    virtual ~Inflater() = default;

    // Takes what it can from the front of `input` and returns how much it wrote into `out`. 0 with `input` empty: more
    // input is needed, or this is the end. Errors: InvalidArgument (corrupt); the stream is then of no use any more.
    // REQUIRES: `out` is not empty.
    virtual Result<std::size_t> inflate(std::string_view& input, std::span<char> out) = 0;

    // Whether the input may end here.
    virtual bool complete() const = 0;
};

}  // namespace stoker::wire
