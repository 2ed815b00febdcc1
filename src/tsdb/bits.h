// A string of bits, most significant first: what the chunk encodings write and read. A word at a time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace stoker::tsdb {

namespace internal {

inline std::uint64_t load_big(const std::uint8_t* bytes) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, sizeof(word));
    return __builtin_bswap64(word);
}

inline void store_big(std::uint8_t* bytes, std::uint64_t word) {
    word = __builtin_bswap64(word);
    std::memcpy(bytes, &word, sizeof(word));
}

inline std::uint64_t low_bits(std::uint64_t value, unsigned count) {
    return count == 64 ? value : value & ((std::uint64_t{1} << count) - 1);
}

}  // namespace internal

class BitWriter {
public:
    BitWriter() = default;
    // Goes on after the first `bits` bits of `bytes`. REQUIRES: there are as many.
    BitWriter(std::string_view bytes, std::size_t bits) {
        grow(bits);
        std::memcpy(data_.get(), bytes.data(), (bits + 7) / 8);
        bits_ = static_cast<std::uint32_t>(bits);
    }

    // Appends the low `count` bits of `value`. REQUIRES: count <= 64.
    void write(std::uint64_t value, unsigned count) {
        if (count == 0) {
            return;
        }
        if (bits_ + 64 > room_) {
            grow(bits_ + 64);
        }
        value = internal::low_bits(value, count);
        std::uint8_t* at = data_.get() + bits_ / 8;
        const unsigned used = bits_ % 8;
        const unsigned fits = 64 - used;
        const std::uint64_t word = internal::load_big(at);
        if (count <= fits) {
            internal::store_big(at, word | value << (fits - count));
        } else {
            internal::store_big(at, word | value >> (count - fits));
            at[8] = static_cast<std::uint8_t>(value << (8 - (count - fits)));
        }
        bits_ += count;
    }

    std::string_view bytes() const { return {reinterpret_cast<const char*>(data_.get()), (bits_ + 7) / 8}; }
    std::size_t bits() const { return bits_; }
    std::size_t heap_bytes() const { return room_ == 0 ? 0 : room_ / 8 + kSlack; }

private:
    static constexpr std::size_t kSlack = 9;  // A whole word can be stored at the last bit in use, and one byte beyond.

    // Grows by an eighth, not by doubling: a million open chunks must not carry half their size in air.
    void grow(std::size_t bits) {
        const std::size_t bytes = std::max(bits / 8 + 24, std::size_t{room_} / 8 * 9 / 8);
        std::unique_ptr<std::uint8_t[]> larger(new std::uint8_t[bytes + kSlack]());
        if (data_) {
            std::memcpy(larger.get(), data_.get(), (bits_ + 7) / 8);
        }
        data_ = std::move(larger);
        room_ = static_cast<std::uint32_t>(bytes * 8);
    }

    std::unique_ptr<std::uint8_t[]> data_;  // Zero from bits_ on.
    std::uint32_t bits_ = 0;
    std::uint32_t room_ = 0;  // In bits.
};

inline constexpr unsigned kPeekBits = 57;  // So many can always be looked at in one word.

// Reading past the end turns ok() false and gives zeros.
class BitReader {
public:
    explicit BitReader(std::string_view bytes)
        : data_(reinterpret_cast<const std::uint8_t*>(bytes.data())), size_(bytes.size()), bits_(bytes.size() * 8) {}

    // REQUIRES: count <= 64.
    std::uint64_t read(unsigned count) {
        if (at_ > bits_ || count > bits_ - at_) {
            at_ = bits_;
            ok_ = false;
            return 0;
        }
        if (count == 0) {
            return 0;
        }
        const unsigned used = at_ % 8;
        const unsigned have = 64 - used;
        const std::uint64_t word = load(at_ / 8) << used;
        at_ += count;
        if (count <= have) {
            return word >> (64 - count);
        }
        const unsigned more = count - have;
        return (word >> (64 - count)) | (data_[(at_ - 1) / 8] >> (8 - more));
    }

    // The next kPeekBits bits at the top of a word; zeros past the end.
    std::uint64_t peek() const { return load(at_ / 8) << (at_ % 8); }
    void skip(unsigned count) { at_ += count; }
    // read() without its care: going past the end shows in ok() alone. REQUIRES: count <= kPeekBits.
    std::uint64_t take(unsigned count) {
        const std::uint64_t word = count == 0 ? 0 : peek() >> (64 - count);
        at_ += count;
        return word;
    }

    bool bit() { return read(1) != 0; }
    bool ok() const { return ok_ && at_ <= bits_; }

private:
    std::uint64_t load(std::size_t byte) const {
        if (byte + sizeof(std::uint64_t) <= size_) {
            return internal::load_big(data_ + byte);
        }
        std::uint64_t word = 0;
        for (std::size_t i = 0; i < sizeof(word); ++i) {
            word = word << 8 | (byte + i < size_ ? data_[byte + i] : 0U);
        }
        return word;
    }

    const std::uint8_t* data_;
    std::size_t size_;
    std::size_t bits_;
    std::size_t at_ = 0;
    bool ok_ = true;
};

}  // namespace stoker::tsdb
