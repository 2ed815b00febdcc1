// A GET for scraping and probing: every wait and the whole are bounded, and it can be called off.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "net/client.h"

namespace stoker::collect {

struct Page {
    int status = 0;
    std::string server;
    std::string content_type;
    std::string body;
    bool whole = true;  // False: cut at the limit.
};

struct GetOptions {
    Duration limit{5'000};  // For all of it.
    std::size_t max_body = std::size_t{16} << 20;
    std::string bearer{};
    std::string accept = "*/*";
};

// Calls off a get() on the same loop, now and for good.
class Abandon {
public:
    void set() {
        set_ = true;
        token_.cancel();
        if (call_) call_->cancel();
    }
    bool is_set() const { return set_; }

private:
    friend boost::asio::awaitable<Result<Page>> get(net::Client& client, net::Url url, GetOptions options,
                                                    Abandon& abandon);
    bool set_ = false;
    net::CancelToken token_;
    net::Call* call_ = nullptr;
};

// Errors: as net::Client; DeadlineExceeded for a body that keeps dripping. Not for two at once with one `abandon`.
boost::asio::awaitable<Result<Page>> get(net::Client& client, net::Url url, GetOptions options, Abandon& abandon);

}  // namespace stoker::collect
