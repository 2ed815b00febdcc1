// Requests and responses cut anywhere: no crash, and the same message comes out as when they arrive in one piece.
#include <string>

#include "base/check.h"
#include "net/parser.h"

namespace {

using namespace stoker::net;
using namespace stoker::net::internal;

struct Message {
    bool complete = false;
    bool malformed = false;
    std::string head;
    std::string body;
};

std::string show(const RequestHead& head) {
    return head.method + " " + head.target;
}
std::string show(const ResponseHead& head) {
    return std::to_string(head.status);
}

// Parses what `cut` lets through: each call takes that many bytes more.
template <typename Head>
Message parse(std::string_view bytes, std::size_t cut) {
    MessageParser<Head> parser(4096);
    Head head;
    Message message;
    bool in_body = false;
    std::string buffer;
    while (true) {
        const auto step = in_body ? parser.parse_body(buffer) : parser.parse_head(buffer, head);
        STOKER_CHECK(step.consumed <= buffer.size());
        message.body += step.piece;
        buffer.erase(0, step.consumed);
        if (step.state == ParseState::Ok) {
            in_body = true;
            if (!parser.done()) continue;
            message.complete = true;
            break;
        }
        message.malformed = step.state != ParseState::NeedMore;
        if (message.malformed || bytes.empty()) break;
        buffer += bytes.substr(0, cut);
        bytes.remove_prefix(std::min(cut, bytes.size()));
    }
    if (in_body) {
        message.head = show(head);
        for (const auto& [name, value] : head.headers) message.head += "\n" + name + ": " + value;
    }
    return message;
}

template <typename Head>
void compare(std::string_view bytes, std::size_t cut) {
    const Message whole = parse<Head>(bytes, bytes.size() + 1);
    const Message pieces = parse<Head>(bytes, cut);
    STOKER_CHECK(whole.complete == pieces.complete && whole.head == pieces.head, "cutting changed the head");
    STOKER_CHECK(!whole.complete || whole.body == pieces.body, "cutting changed the body");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
    const std::size_t cut = 1 + data[0] % 40;
    compare<RequestHead>(bytes, cut);
    compare<ResponseHead>(bytes, cut);
    return 0;
}
