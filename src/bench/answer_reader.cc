#include "bench/answer_reader.h"

#include <algorithm>
#include <charconv>

namespace stoker::bench {
namespace {

// The value of a header in a head, compared without case; empty if it is not there.
std::string_view header(std::string_view head, std::string_view name) {
    auto same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
    auto at = std::search(head.begin(), head.end(), name.begin(), name.end(), same);
    if (at == head.end()) return {};
    auto value = head.substr(static_cast<std::size_t>(at - head.begin()) + name.size());
    value = value.substr(0, value.find("\r\n"));
    value.remove_prefix(std::min(value.size(), value.find_first_not_of(' ')));
    return value;
}

}  // namespace

void AnswerReader::reset() {
    state_ = State::Head;
    pending_.clear();
    left_ = 0;
    last_chunk_ = false;
    status_ = 0;
    body_begun_ = false;
}

AnswerReader::State AnswerReader::feed(std::string_view bytes) {
    if (state_ == State::Length) {
        body_begun_ = true;
        left_ -= std::min(left_, bytes.size());
        if (left_ == 0) state_ = State::Done;
        return state_;
    }
    pending_ += bytes;
    if (state_ == State::Head) read_head();
    if (state_ == State::ChunkSize || state_ == State::ChunkData) read_chunks();
    return state_;
}

void AnswerReader::read_head() {
    auto end = pending_.find("\r\n\r\n");
    if (end == std::string::npos) return;
    std::string_view head(pending_.data(), end + 2);
    if (!head.starts_with("HTTP/1.1 ") ||
        std::from_chars(head.data() + 9, head.data() + 12, status_).ec != std::errc()) {
        state_ = State::Malformed;
        return;
    }
    if (auto length = header(head, "\r\ncontent-length:"); !length.empty()) {
        std::from_chars(length.data(), length.data() + length.size(), left_);
        std::size_t have = pending_.size() - end - 4;
        body_begun_ = have > 0;
        left_ -= std::min(left_, have);
        state_ = left_ == 0 ? State::Done : State::Length;
        pending_.clear();
        return;
    }
    state_ = header(head, "\r\ntransfer-encoding:") == "chunked" ? State::ChunkSize : State::Malformed;
    pending_.erase(0, end + 4);
}

void AnswerReader::read_chunks() {
    std::size_t at = 0;
    while (at < pending_.size() && state_ != State::Done && state_ != State::Malformed) {
        if (state_ == State::ChunkSize) {
            auto line = pending_.find("\r\n", at);
            if (line == std::string::npos) break;
            auto parsed = std::from_chars(pending_.data() + at, pending_.data() + line, left_, 16);
            if (parsed.ec != std::errc()) {
                state_ = State::Malformed;
                break;
            }
            at = line + 2;
            last_chunk_ = left_ == 0;
            body_begun_ = body_begun_ || !last_chunk_;
            left_ += 2;  // The line end after the data.
            state_ = State::ChunkData;
            continue;
        }
        std::size_t take = std::min(left_, pending_.size() - at);
        at += take;
        left_ -= take;
        if (left_ == 0) state_ = last_chunk_ ? State::Done : State::ChunkSize;
    }
    pending_.erase(0, at);
}

}  // namespace stoker::bench
