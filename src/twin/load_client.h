// One request to an OpenAI-compatible endpoint, from the side of a client: what it asks, what came, and how long it
// took.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>

#include "base/time.h"
#include "net/client.h"
#include "twin/profile.h"

namespace stoker::twin {

struct LoadRequest {
    std::string model;
    std::uint32_t prompt_tokens = 16;  // About: one token for each 4 bytes.
    std::uint32_t output_tokens = 16;
    bool stream = true;
    bool ignore_eos = false;         // Exactly output_tokens, where the engine knows that.
    std::uint64_t conversation = 0;  // Prompts of one conversation begin alike, so a prefix cache has something to do.
    std::string bearer{};
    Duration patience{60'000};  // Silence allowed before and within the answer.
};

struct LoadOutcome {
    int status = 0;  // 0: no answer.
    net::Fault fault = net::Fault::None;
    bool complete = false;  // [DONE] or a whole body came.
    bool error_event = false;
    std::uint32_t events = 0;        // With text in them.
    std::int64_t prompt_tokens = 0;  // As told by the usage; 0 if it was not.
    std::int64_t completion_tokens = 0;
    Nanos first_token{0};
    Nanos total{0};

    bool ok() const { return status == 200 && complete && !error_event; }
};

// Ends a request from outside, on its own loop; once, and for good.
class LoadCancel {
public:
    void cancel() {
        token_.cancel();
        if (call_) call_->cancel();
    }

private:
    friend boost::asio::awaitable<LoadOutcome> run_load_request(net::Client& client, net::Url origin,
                                                                LoadRequest request, LoadCancel* cancel);
    net::CancelToken token_;
    net::Call* call_ = nullptr;
};

std::string load_request_body(const LoadRequest& request);

// Sends it and reads the answer to its end. REQUIRES: `client` and `cancel` outlive it.
boost::asio::awaitable<LoadOutcome> run_load_request(net::Client& client, net::Url origin, LoadRequest request,
                                                     LoadCancel* cancel = nullptr);

}  // namespace stoker::twin
