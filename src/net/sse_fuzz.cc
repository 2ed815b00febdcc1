// Any bytes, cut anywhere: no crash, and the raw texts add up to what was fed.
#include <cstdlib>

#include "base/check.h"
#include "net/sse.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stoker::net;
    const std::string_view stream(reinterpret_cast<const char*>(data), size);
    std::string cut_raw;
    std::string cut_data;
    std::string whole_data;
    auto note_cut = [&](const SseEvent& event) {
        cut_raw += event.raw;
        cut_data.append(event.data).append(1, '|').append(event.event).append(1, '|').append(event.id).append(1, '\n');
    };
    auto note_whole = [&](const SseEvent& event) {
        whole_data.append(event.data)
            .append(1, '|')
            .append(event.event)
            .append(1, '|')
            .append(event.id)
            .append(1, '\n');
    };
    SseParser cut;
    // The bytes themselves choose the cuts.
    for (std::size_t at = 0; at < size;) {
        const std::size_t length = 1 + data[at] % 13;
        STOKER_CHECK(cut.feed(stream.substr(at, length), note_cut).has_value());
        at += length;
    }
    STOKER_CHECK(cut_raw + std::string(cut.pending()) == stream, "raw texts differ from the stream");
    SseParser whole;
    STOKER_CHECK(whole.feed(stream, note_whole).has_value());
    STOKER_CHECK(cut_data == whole_data, "cutting the stream changed its events");
    return 0;
}
