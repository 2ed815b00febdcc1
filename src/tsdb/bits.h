// A string of bits, most significant first: what the chunk encodings write and read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace stoker::tsdb {

class BitWriter {
public:
    // Appends the low `count` bits of `value`. REQUIRES: count <= 64.
    void write(std::uint64_t value, unsigned count) {
        while (count > 0) {
            if (free_ == 0) {
                grow();
            }
            const unsigned take = count < free_ ? count : free_;
            const auto part = static_cast<std::uint8_t>((value >> (count - take)) & ((1U << take) - 1));
            bytes_.back() = static_cast<char>(static_cast<std::uint8_t>(bytes_.back()) | (part << (free_ - take)));
            free_ -= take;
            count -= take;
        }
    }

    const std::string& bytes() const { return bytes_; }
    std::string take() {
        free_ = 0;
        return std::move(bytes_);
    }

private:
    // Grows by an eighth, not by doubling: a million open chunks must not carry half their size in air.
    void grow() {
        if (bytes_.size() == bytes_.capacity()) {
            bytes_.reserve(bytes_.size() + bytes_.size() / 8 + 48);
        }
        bytes_ += '\0';
        free_ = 8;
    }

    std::string bytes_;
    unsigned free_ = 0;  // Unused bits of the last byte.
};

// Reading past the end turns ok() false and gives zeros.
class BitReader {
public:
    explicit BitReader(std::string_view bytes) : bytes_(bytes) {}

    // REQUIRES: count <= 64.
    std::uint64_t read(unsigned count) {
        std::uint64_t value = 0;
        while (count > 0) {
            if (left_ == 0) {
                if (at_ == bytes_.size()) {
                    ok_ = false;
                    return 0;
                }
                current_ = static_cast<std::uint8_t>(bytes_[at_++]);
                left_ = 8;
            }
            const unsigned take = count < left_ ? count : left_;
            value = (value << take) | ((current_ >> (left_ - take)) & ((1U << take) - 1));
            left_ -= take;
            count -= take;
        }
        return value;
    }

    bool bit() { return read(1) != 0; }
    bool ok() const { return ok_; }

private:
    std::string_view bytes_;
    std::size_t at_ = 0;
    unsigned current_ = 0;
    unsigned left_ = 0;  // Unread bits of current_.
    bool ok_ = true;
};

}  // namespace stoker::tsdb
