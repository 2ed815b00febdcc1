// A request's body as it goes upstream: the client's own bytes, with the few that were edited between them. No copy.
//
// Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "wire/openai.h"

namespace stoker::wire {

class EditedBody {
public:
    EditedBody() = default;
    EditedBody(const EditedBody&) = delete;  // Its pieces show its own texts.
    EditedBody& operator=(const EditedBody&) = delete;

    // Replaces what was there before; looks at `body` from then on.
    void assign(std::string_view body, BodyEdits edits);
    void clear() { assign({}, {}); }

    std::span<const std::string_view> pieces() const { return {pieces_.data(), count_}; }
    std::string text() const;  // All of it, copied.

private:
    void add(std::string_view piece);

    BodyEdits edits_;
    std::array<std::string_view, 2 * BodyEdits::kMost + 1> pieces_;
    std::size_t count_ = 0;
};

}  // namespace stoker::wire
