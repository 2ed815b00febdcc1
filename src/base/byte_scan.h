// Questions about all bytes of a short text, asked eight bytes at a time. Pure; for text on the way of every request.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace stoker {
namespace internal {

constexpr std::uint64_t kOnes = 0x0101010101010101;
constexpr std::uint64_t kHighs = 0x8080808080808080;

// Not zero if a byte of `word` is below `limit`. REQUIRES: limit is at most 128.
constexpr std::uint64_t has_below(std::uint64_t word, std::uint64_t limit) {
    return (word - kOnes * limit) & ~word & kHighs;
}
constexpr std::uint64_t has_byte(std::uint64_t word, std::uint64_t byte) {
    return has_below(word ^ (kOnes * byte), 1);
}

// Whether `asks` is not zero for a word of the text. What is left at its end is filled up with blanks.
template <typename Asks>
bool any_word(std::string_view text, Asks asks) {
    const char* at = text.data();
    std::size_t left = text.size();
    std::uint64_t word = 0;
    for (; left >= sizeof word; at += sizeof word, left -= sizeof word) {
        std::memcpy(&word, at, sizeof word);
        if (asks(word) != 0) return true;
    }
    if (left == 0) return false;
    word = kOnes * ' ';
    std::memcpy(&word, at, left);
    return asks(word) != 0;
}

}  // namespace internal

// Whether a byte below a blank stands in `text`: line ends, tabs, NUL and the like.
inline bool has_control(std::string_view text) {
    return internal::any_word(text, [](std::uint64_t word) { return internal::has_below(word, ' '); });
}

// Whether `text` can stand between a JSON string's quotes as it is, for all that this can tell: printable ASCII without
// quotes and backslashes.
inline bool is_plain_json(std::string_view text) {
    using namespace internal;
    return !any_word(text, [](std::uint64_t word) {
        return has_below(word, ' ') | has_byte(word, '"') | has_byte(word, '\\') | has_byte(word, 0x7F) |
               (word & kHighs);
    });
}

}  // namespace stoker
