// A blocking HTTP/1.1 client on one kept-alive connection: as little as measuring needs.
#pragma once

#include <string>
#include <string_view>

namespace stoker::bench {

struct Answer {
    int status = 0;
    std::string body;
};

class Http {
public:
    // "127.0.0.1:8428". Throws std::runtime_error, as all calls do: a benchmark has no use for half a result.
    explicit Http(const std::string& address);
    ~Http();
    Http(const Http&) = delete;
    Http& operator=(const Http&) = delete;

    Answer get(const std::string& target);
    Answer post(const std::string& target, const std::string& headers, std::string_view body);

private:
    void connect();
    void write_all(std::string_view bytes);
    Answer read_answer();
    std::size_t more();
    std::string read_line();
    std::string take(std::size_t count);

    std::string address_;
    int fd_ = -1;
    std::string buffer_;
};

}  // namespace stoker::bench
