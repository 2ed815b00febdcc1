// One connection's receive buffer: bytes come in at the tail, are parsed in place at the front, and the memory is used
// again for the next message.
//
// Views stay valid across consume() and commit(), not across make_room() and shrink(). Not thread-safe.
#pragma once

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace stoker::net::internal {

class Buffer {
public:
    std::string_view data() const { return {memory_.get() + begin_, end_ - begin_}; }
    std::size_t size() const { return end_ - begin_; }
    bool empty() const { return begin_ == end_; }
    std::size_t capacity() const { return capacity_; }

    void consume(std::size_t count) { begin_ += count; }
    void commit(std::size_t count) { end_ += count; }
    // Free space behind the data, as it is; may be nothing.
    boost::asio::mutable_buffer tail() { return {memory_.get() + end_, capacity_ - end_}; }

    // Free space behind the data, at least a quarter of `capacity` and one byte: moves the data to the front, and takes
    // memory of that size if there is less.
    boost::asio::mutable_buffer make_room(std::size_t capacity) {
        if (empty()) begin_ = end_ = 0;
        if (capacity_ - end_ >= std::max<std::size_t>(capacity / 4, 1)) return tail();
        if (capacity > capacity_) {
            std::unique_ptr<char[]> larger(new char[capacity]);
            if (!empty()) std::memcpy(larger.get(), memory_.get() + begin_, size());
            memory_ = std::move(larger);
            capacity_ = capacity;
        } else if (begin_ > 0) {
            std::memmove(memory_.get(), memory_.get() + begin_, size());
        }
        end_ -= begin_;
        begin_ = 0;
        return tail();
    }

    // Gives memory beyond `capacity` back. Does nothing while there is data.
    void shrink(std::size_t capacity) {
        if (!empty() || capacity_ <= capacity) return;
        memory_.reset();
        begin_ = end_ = capacity_ = 0;
    }

private:
    std::unique_ptr<char[]> memory_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace stoker::net::internal
