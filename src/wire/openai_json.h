// A forward-only cursor over JSON text: checks every byte, builds nothing, knows where everything stands.
//
// A proxy needs three fields of a 200 KB prompt, their exact place (to edit the client's own bytes), and the exact
// place of a mistake. A DOM costs an allocation the size of the body, and lazy parsers skip over what they do not visit
// without checking it; this one checks the whole grammar at the speed of finding quotes (16 bytes at a time inside
// strings). Not checked here: UTF-8 (one call of simdjson for the whole text) and pairing of \uD800 surrogates (the
// engine's matter).
//
//   JsonCursor json(text);
//   json.begin_object();
//   for (std::string_view key; json.next_key(key);) {
//       if (key_is(key, "model")) model = json.string(); else json.skip();
//   }
//   json.end();
//   if (json.failed()) ... json.problem(), json.offset()
//
// After a failure every call is a no-op that returns false or empty, so loops end by themselves. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stoker::wire {

// Bytes [begin, end) of a text; empty: not there.
struct ByteRange {
    std::size_t begin = 0;
    std::size_t end = 0;

    bool present() const { return end > begin; }
    std::size_t size() const { return end - begin; }
    std::string_view of(std::string_view text) const { return text.substr(begin, end - begin); }
};

enum class JsonKind : std::uint8_t { Object, Array, String, Number, Bool, Null, Invalid };

class JsonCursor {
public:
    static constexpr std::size_t kMaxDepth = 512;

    explicit JsonCursor(std::string_view text, std::size_t start = 0) : text_(text), at_(start) {}

    // What the next value is, by its first byte; moves past white space only.
    JsonKind peek();

    // Checks and passes over one value of any kind.
    bool skip();
    // As skip(), and says where it stood.
    ByteRange range();

    // Enters a value of that kind, or fails. next_key() and next_element() then step through it and leave it at its
    // end.
    bool begin_object();
    bool begin_array();
    // The next member's key, as written between the quotes; the value must then be taken by one call.
    bool next_key(std::string_view& raw_key);
    bool next_element();

    // Values. A value of another kind is a failure; peek() first where several are allowed.
    std::string_view raw_string();  // Between the quotes, escapes as written.
    bool boolean();
    std::optional<std::int64_t> integer();  // Empty (and no failure) for a number that is not a 64-bit integer.

    // Demands that nothing but white space is left.
    bool end();

    bool failed() const { return problem_ != nullptr; }
    const char* problem() const { return problem_ != nullptr ? problem_ : ""; }
    std::size_t offset() const { return at_; }
    // Where the member of the last next_key() began: its comma, or its key if it is the first.
    std::size_t member_begin() const { return member_begin_; }
    bool member_is_first() const { return member_is_first_; }

private:
    bool fail(const char* problem);
    void skip_space();
    bool skip_string();
    bool skip_escape();
    bool skip_number();
    bool skip_literal();
    bool skip_scalar();
    bool skip_container();

    std::string_view text_;
    std::size_t at_;
    std::size_t member_begin_ = 0;
    const char* problem_ = nullptr;
    bool first_ = false;  // Nothing of the container entered last was taken yet.
    bool member_is_first_ = false;
};

// Compares a raw key, which may hold escapes, with a name.
bool key_is(std::string_view raw_key, std::string_view name);

// Decodes the escapes of a raw string that a JsonCursor has checked. Lone surrogates become U+FFFD.
std::string unescape(std::string_view raw);

}  // namespace stoker::wire
