// A replica that sends anything, in any pieces: the relay must neither read out of bounds nor call a stream done that
// did not say so, and the pieces must not matter.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "gateway/upstream/stream_relay.h"

namespace {

using stoker::gateway::StreamRelay;

struct Seen {
    std::string out;
    StreamRelay::State state;
};

Seen relay_in_pieces(std::string_view bytes, std::size_t piece) {
    StreamRelay relay({.hide_usage = true, .max_event_bytes = 4096});
    for (std::size_t at = 0; at < bytes.size(); at += piece) relay.feed(bytes.substr(at, piece), {});
    relay.end_of_body();
    return {relay.out(), relay.state()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const Seen whole = relay_in_pieces(bytes, bytes.size());
    const Seen pieces = relay_in_pieces(bytes, 1 + data[0] % 16);
    // An event past its bound is refused as soon as it is seen to be, which depends on the pieces; all else must not.
    if (size < 4096 && (whole.state != pieces.state || whole.out != pieces.out)) std::abort();
    if (whole.state == StreamRelay::State::Done && whole.out.find("[DONE]") == std::string::npos) std::abort();
    return 0;
}
