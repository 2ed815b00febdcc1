// Heads as bytes. Field values that would break out of their line are defused here, whoever made them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/http.h"

namespace stoker::net::internal {

// How the reader finds the end of a message's body.
enum class Framing : std::uint8_t {
    None,  // No body and no length: 1xx, 204, 304.
    Length,
    Chunked,
    UntilClose
};

// The fields that frame a message are ours: Connection, Transfer-Encoding and the like in `head` are left out, and so
// is Content-Length where `framing` or `length` says it better.
void append_response_head(std::string& out, const ResponseHead& head, Framing framing,
                          std::optional<std::uint64_t> length, std::string_view connection);
// `proxy_authorization` may be empty.
void append_request_head(std::string& out, std::string_view method, std::string_view target, std::string_view host,
                         const Headers& headers, std::optional<std::uint64_t> length,
                         std::string_view proxy_authorization = {});

// "1f4\r\n", written into the 20 bytes at `space`.
std::string_view chunk_header(char* space, std::size_t size);

// Now as an HTTP date, made once a second.
std::string_view http_date();

bool equal_without_case(std::string_view a, std::string_view b);

}  // namespace stoker::net::internal
