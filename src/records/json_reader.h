// Reads JSON text from front to back: a value at a time, straight into where it belongs.
//
// For records in the million, where building a tree costs more than everything else together. Texts must be UTF-8. The
// first problem sticks: every later call returns false. Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace stoker::records {

class JsonReader {
public:
    explicit JsonReader(std::string_view text) : text_(text) {}

    // Calls `member(key)` for each member of the object here; it must read or skip the value.
    template <typename F>
    bool object(F&& member) {
        if (!take('{')) return fail("an object was expected");
        if (take('}')) return true;
        std::string key;
        do {
            if (!string(key)) return false;
            if (!take(':')) return fail("a colon was expected");
            if (!member(std::string_view(key))) return false;
        } while (take(','));
        return take('}') || fail("the end of an object was expected");
    }

    // Calls `element()` for each element of the array here; it must read or skip it.
    template <typename F>
    bool array(F&& element) {
        if (!take('[')) return fail("an array was expected");
        if (take(']')) return true;
        do {
            if (!element()) return false;
        } while (take(','));
        return take(']') || fail("the end of an array was expected");
    }

    bool string(std::string& out);
    bool integer(std::int64_t& out);
    bool boolean(bool& out);
    // True, and consumed, if a null is here.
    bool null();
    // Any value, checked for form.
    bool skip() { return skip(0); }
    // The text of the value here, checked for form.
    bool raw(std::string_view& out);
    bool is_object();

    // Nothing but blanks is left.
    bool at_end();

    bool fail(std::string_view problem);
    const std::string& problem() const { return problem_; }

private:
    void skip_blanks();
    bool take(char c);
    bool take_word(std::string_view word);
    bool escape(std::string& out);
    bool hex4(std::uint32_t& out);
    bool number_text(std::string_view& out, bool& fraction);
    bool skip(int depth);

    std::string_view text_;
    std::size_t at_ = 0;
    std::string problem_;
    std::string scratch_;
};

}  // namespace stoker::records
