#include "wire/compression.h"

#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "base/text.h"

namespace stoker::wire {
namespace {

constexpr std::size_t kFirstGuess = std::size_t{64} << 10;

Error corrupt(std::string_view encoding, std::string_view why) {
    return {Errc::InvalidArgument, "the " + std::string(encoding) + " body is corrupt: " + std::string(why)};
}

Error too_large(std::size_t most) {
    return {Errc::ResourceExhausted, "the body is longer than " + std::to_string(most) + " bytes when decompressed"};
}

// gzip, or deflate: which HTTP means as zlib's format, but some senders leave zlib's header out.
class ZlibInflater : public Inflater {
public:
    enum class Kind { Gzip, Deflate };

    explicit ZlibInflater(Kind kind) : kind_(kind) {}
    ~ZlibInflater() override {
        if (started_) inflateEnd(&stream_);
    }
    ZlibInflater(const ZlibInflater&) = delete;
    ZlibInflater& operator=(const ZlibInflater&) = delete;

    Result<std::size_t> inflate(std::string_view& input, std::span<char> out) override {
        std::size_t written = 0;
        while (written == 0 && (!input.empty() || (started_ && !ended_))) {
            TRY_UNIT(begin_member(input));
            const std::size_t give = std::min<std::size_t>(input.size(), std::numeric_limits<uInt>::max());
            const std::size_t room = std::min<std::size_t>(out.size(), std::numeric_limits<uInt>::max());
            stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
            stream_.avail_in = static_cast<uInt>(give);
            stream_.next_out = reinterpret_cast<Bytef*>(out.data());
            stream_.avail_out = static_cast<uInt>(room);
            const int code = ::inflate(&stream_, Z_NO_FLUSH);
            input.remove_prefix(give - stream_.avail_in);
            written = room - stream_.avail_out;
            ended_ = code == Z_STREAM_END;
            if (code == Z_BUF_ERROR) break;  // Not an error: it wants more input.
            if (code != Z_OK && !ended_) return corrupt(name(), stream_.msg != nullptr ? stream_.msg : "no valid data");
        }
        return written;
    }

    bool complete() const override { return ended_; }

private:
    std::string_view name() const { return kind_ == Kind::Gzip ? "gzip" : "deflate"; }

    // Before the first byte of a stream and of each further gzip member.
    Result<Unit> begin_member(std::string_view input) {
        if (started_ && !ended_) return Unit{};
        if (started_) {
            if (kind_ == Kind::Deflate) return corrupt(name(), "there are bytes after its end");
            ended_ = false;
            STOKER_CHECK(inflateReset(&stream_) == Z_OK);
            return Unit{};
        }
        // zlib's header says method 8 in its first byte.
        const bool bare = kind_ == Kind::Deflate && (static_cast<unsigned char>(input.front()) & 0x0f) != 8;
        const int window = kind_ == Kind::Gzip ? 15 + 16 : bare ? -15 : 15;
        if (inflateInit2(&stream_, window) != Z_OK) return Error{Errc::ResourceExhausted, "no memory for zlib"};
        started_ = true;
        return Unit{};
    }

    const Kind kind_;
    z_stream stream_{};
    bool started_ = false;
    bool ended_ = false;
};

class ZstdInflater : public Inflater {
public:
    explicit ZstdInflater(int window_log) {
        STOKER_CHECK(stream_ != nullptr);
        ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, window_log);
    }

    Result<std::size_t> inflate(std::string_view& input, std::span<char> out) override {
        ZSTD_outBuffer target{out.data(), out.size(), 0};
        while (target.pos == 0) {
            ZSTD_inBuffer source{input.data(), input.size(), 0};
            const std::size_t hint = ZSTD_decompressStream(stream_.get(), &target, &source);
            if (ZSTD_isError(hint) != 0) return corrupt("zstd", ZSTD_getErrorName(hint));
            input.remove_prefix(source.pos);
            // 0: a frame has ended. With nothing taken and nothing given, that is what was said before.
            if (source.pos > 0 || target.pos > 0) complete_ = hint == 0;
            if (input.empty() || source.pos == 0) break;
        }
        return target.pos;
    }

    bool complete() const override { return complete_; }

private:
    struct Free {
        void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
    };
    std::unique_ptr<ZSTD_DStream, Free> stream_{ZSTD_createDStream()};
    bool complete_ = false;
};

Result<std::string> unsnappy(std::string_view body, std::size_t most) {
    std::size_t length = 0;
    if (!snappy::GetUncompressedLength(body.data(), body.size(), &length)) return corrupt("snappy", "no length");
    if (length > most) return too_large(most);
    // The densest that the format knows is a copy of 64 bytes in 3: a length beyond that is a lie, not worth its
    // memory.
    if (length / 32 > body.size()) return corrupt("snappy", "its length is not true");
    std::string out(length, '\0');
    if (!snappy::RawUncompress(body.data(), body.size(), out.data())) return corrupt("snappy", "no valid data");
    return out;
}

Result<std::string> inflate_all(Inflater& inflater, std::string_view encoding, std::string_view body,
                                std::size_t most) {
    std::string out;
    std::size_t used = 0;
    std::string_view input = body;
    while (true) {
        if (used == out.size()) {
            // One byte of room past the limit tells a body that ends there from one that goes on.
            const std::size_t grown = std::max({2 * out.size(), kFirstGuess, 4 * body.size()});
            out.resize(std::max(used + 1, std::min(grown, most < std::string().max_size() ? most + 1 : most)));
        }
        TRY(const std::size_t got, inflater.inflate(input, std::span(out).subspan(used)));
        used += got;
        if (used > most) return too_large(most);
        if (got == 0) break;
    }
    if (!inflater.complete() || !input.empty()) return corrupt(encoding, "it was cut short");
    out.resize(used);
    return out;
}

}  // namespace

Result<std::unique_ptr<Inflater>> Inflater::create(std::string_view encoding, int zstd_window_log) {
    const std::string name = to_lower(trim(encoding));
    if (name == "gzip" || name == "x-gzip") {
        return std::unique_ptr<Inflater>(std::make_unique<ZlibInflater>(ZlibInflater::Kind::Gzip));
    }
    if (name == "deflate") {
        return std::unique_ptr<Inflater>(std::make_unique<ZlibInflater>(ZlibInflater::Kind::Deflate));
    }
    if (name == "zstd") return std::unique_ptr<Inflater>(std::make_unique<ZstdInflater>(zstd_window_log));
    return Error{Errc::InvalidArgument,
                 "unknown content encoding \"" + name.substr(0, 64) + "\": gzip, deflate, zstd and snappy are known"};
}

Result<std::string> decompress(std::string_view content_encoding, std::string_view body, std::size_t most) {
    const std::string_view encoding = trim(content_encoding);
    if (encoding.empty() || equals_ignore_case(encoding, "identity")) {
        if (body.size() > most) return too_large(most);
        return std::string(body);
    }
    if (equals_ignore_case(encoding, "snappy")) return unsnappy(body, most);
    TRY(auto inflater, Inflater::create(encoding));
    return inflate_all(*inflater, encoding, body, most);
}

std::string gzip_compress(std::string_view body, int level) {
    z_stream stream{};
    STOKER_CHECK(deflateInit2(&stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string out(deflateBound(&stream, body.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    // zlib counts in 32 bits: longer bodies go through in pieces.
    constexpr std::size_t kPiece = std::numeric_limits<uInt>::max();
    std::size_t given = 0;
    std::size_t room = out.size();
    int code = Z_OK;
    while (code == Z_OK) {
        const std::size_t in = std::min(kPiece, body.size() - given);
        const std::size_t space = std::min(kPiece, room);
        stream.avail_in = static_cast<uInt>(in);
        stream.avail_out = static_cast<uInt>(space);
        code = deflate(&stream, given + in == body.size() ? Z_FINISH : Z_NO_FLUSH);
        given += in - stream.avail_in;
        room -= space - stream.avail_out;
    }
    deflateEnd(&stream);
    STOKER_CHECK(code == Z_STREAM_END);
    out.resize(out.size() - room);
    return out;
}

std::string zstd_compress(std::string_view body, int level) {
    std::string out(ZSTD_compressBound(body.size()), '\0');
    const std::size_t size = ZSTD_compress(out.data(), out.size(), body.data(), body.size(), level);
    STOKER_CHECK(ZSTD_isError(size) == 0);
    out.resize(size);
    return out;
}

std::string snappy_compress(std::string_view body) {
    std::string out;
    snappy::Compress(body.data(), body.size(), &out);
    return out;
}

}  // namespace stoker::wire
