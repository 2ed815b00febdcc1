// The HTTP/1.1 message parser, without I/O: bytes in, a head and pieces of a body out. Beast does the grammar; what
// Beast lets pass and two servers in a row may read differently (request smuggling) is refused here.
//
// The caller keeps the bytes: a head must lie in one piece, body pieces are views into what was passed. Not
// thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "net/http.h"

namespace stoker::net::internal {

enum class ParseState : std::uint8_t { Ok, NeedMore, Malformed, HeadTooLarge };

struct ParseStep {
    ParseState state = ParseState::Ok;
    std::size_t consumed = 0;     // Drop that many bytes before the next call.
    std::string_view piece = {};  // Of the body; empty with Ok: the message is over.
};

enum class Expectation : std::uint8_t { None, Continue, Unknown };

// Head is RequestHead or ResponseHead.
template <typename Head>
class MessageParser {
public:
    explicit MessageParser(std::size_t max_head_bytes);
    ~MessageParser();
    MessageParser(const MessageParser&) = delete;
    MessageParser& operator=(const MessageParser&) = delete;

    // Starts over with the next message.
    void reset();
    // The message has no body whatever its head says: the answer to a HEAD request. REQUIRES: before parse_head().
    void expect_no_body();

    // Parses a head at the start of `bytes` into `head`, whose former content is dropped. NeedMore: call again with
    // what was not consumed and more behind it, and the same `head`.
    ParseStep parse_head(std::string_view bytes, Head& head);

    // The next piece of the body. REQUIRES: parse_head() gave Ok.
    ParseStep parse_body(std::string_view bytes);

    // The peer closed its side: true if the message is complete by that.
    bool finish_at_eof();

    bool done() const;
    bool keep_alive() const;
    bool chunked() const;
    // As announced; empty when chunked or until the connection closes.
    std::optional<std::uint64_t> content_length() const;
    int minor_version() const;
    Expectation expectation() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

using RequestParser = MessageParser<RequestHead>;
using ResponseParser = MessageParser<ResponseHead>;

}  // namespace stoker::net::internal
