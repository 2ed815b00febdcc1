// Finds the end of one HTTP answer in a byte stream: Content-Length or chunked. For the load generator, which trusts
// its servers more than Stoker does: no limits, no trailers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace stoker::bench {

class AnswerReader {
public:
    enum class State : std::uint8_t { Head, Length, ChunkSize, ChunkData, Done, Malformed };

    void reset();
    // Takes bytes; what follows the end of the answer is not expected and ignored.
    State feed(std::string_view bytes);
    State state() const { return state_; }
    bool body_begun() const { return body_begun_; }
    int status() const { return status_; }

private:
    void read_head();
    void read_chunks();

    State state_ = State::Head;
    std::string pending_;
    std::size_t left_ = 0;
    bool last_chunk_ = false;
    int status_ = 0;
    bool body_begun_ = false;
};

}  // namespace stoker::bench
