// Integers as bytes: little-endian fixed width, LEB128 varints, zigzag for signed ones; and a reader that never runs
// over.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace stoker::tsdb {

inline std::uint64_t zigzag(std::int64_t value) {
    return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
inline std::int64_t unzigzag(std::uint64_t value) {
    return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

// a - b and a + b that wrap instead of overflowing: deltas of arbitrary 64-bit times must survive a round trip.
inline std::int64_t wrapping_sub(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
inline std::int64_t wrapping_add(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

template <typename T>
void put_fixed(std::string& out, T value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

inline void put_varint(std::string& out, std::uint64_t value) {
    while (value >= 0x80) {
        out += static_cast<char>(value | 0x80);
        value >>= 7;
    }
    out += static_cast<char>(value);
}

inline void put_text(std::string& out, std::string_view text) {
    put_varint(out, text.size());
    out += text;
}

// Reads in order; the first read past the end or malformed varint turns ok() false, and all reads from then give zeros.
class ByteReader {
public:
    explicit ByteReader(std::string_view bytes) : left_(bytes) {}

    bool ok() const { return ok_; }
    bool at_end() const { return left_.empty(); }
    std::string_view rest() const { return left_; }

    template <typename T>
    T fixed() {
        T value{};
        if (left_.size() < sizeof(T)) {
            fail();
            return value;
        }
        std::memcpy(&value, left_.data(), sizeof(T));
        left_.remove_prefix(sizeof(T));
        return value;
    }

    std::uint64_t varint() {
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < left_.size() && i < 10; ++i) {
            const auto byte = static_cast<std::uint8_t>(left_[i]);
            value |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
            if (byte < 0x80) {
                left_.remove_prefix(i + 1);
                return value;
            }
        }
        fail();
        return 0;
    }

    std::string_view text() {
        const std::uint64_t size = varint();
        if (size > left_.size()) {
            fail();
            return {};
        }
        const std::string_view result = left_.substr(0, size);
        left_.remove_prefix(size);
        return result;
    }

    void skip(std::size_t count) {
        if (count > left_.size()) {
            fail();
            return;
        }
        left_.remove_prefix(count);
    }

private:
    void fail() {
        ok_ = false;
        left_ = {};
    }

    std::string_view left_;
    bool ok_ = true;
};

// Big-endian with the sign bit flipped: RocksDB's byte order is then the numbers' order.
inline void put_ordered(std::string& out, std::uint64_t value) {
    const std::uint64_t swapped = __builtin_bswap64(value);
    out.append(reinterpret_cast<const char*>(&swapped), sizeof(swapped));
}
inline void put_ordered(std::string& out, std::int64_t value) {
    put_ordered(out, static_cast<std::uint64_t>(value) ^ (std::uint64_t{1} << 63));
}
// REQUIRES: 8 bytes at `bytes`.
inline std::uint64_t get_ordered(const char* bytes) {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes, sizeof(value));
    return __builtin_bswap64(value);
}
inline std::int64_t get_ordered_signed(const char* bytes) {
    return static_cast<std::int64_t>(get_ordered(bytes) ^ (1ULL << 63));
}

}  // namespace stoker::tsdb
