// Ids: strong types for names, and random identifiers.
#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace stoker {

// A value that can't be mistaken for another of the same shape: `using TenantId = Named<std::string, struct
// TenantTag>`.
template <typename T, typename Tag>
struct Named {
    T value{};

    friend auto operator<=>(const Named&, const Named&) = default;
};

// `bytes` random bytes as lower-case hex; 16 gives a W3C trace id, 8 a span id. From the system's random source through
// a per-thread generator: unguessable enough to be unique, not a secret. Thread-safe.
std::string random_hex(std::size_t bytes);

// A time-ordered unique id with a prefix: "req_018f3c...". Sorts by creation to the millisecond. Thread-safe.
std::string make_id(std::string_view prefix);

}  // namespace stoker

template <typename T, typename Tag>
struct std::hash<stoker::Named<T, Tag>> {
    std::size_t operator()(const stoker::Named<T, Tag>& id) const { return std::hash<T>{}(id.value); }
};
