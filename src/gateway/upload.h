// The rest of a form that is sent on while it comes, its first part having told where to: a long recording is never
// held whole. What has begun to flow this way can be sent to no second replica.
//
// Lives in its request, on that request's loop.
#pragma once

#include <cstdint>
#include <optional>

#include "net/client.h"
#include "net/server.h"
#include "wire/multipart.h"

namespace stoker::gateway {

class Upload final : public net::BodySource {
public:
    // `remaining` bytes of the body are still to come; `form` has seen the others.
    Upload(net::Exchange& exchange, wire::FormScanner form, std::uint64_t remaining);

    std::uint64_t size() const override { return remaining_; }
    boost::asio::awaitable<Result<std::string_view>> read_some() override;

    // Something of it was taken.
    bool begun() const { return begun_; }
    // Why it could not be read to its end. Its code is ResourceExhausted, DeadlineExceeded or Cancelled as of the
    // client's body, or InvalidArgument for a form that turned out to be malformed.
    const std::optional<Error>& problem() const { return problem_; }

private:
    net::Exchange& exchange_;
    wire::FormScanner form_;
    std::uint64_t remaining_;
    std::optional<Error> problem_;
    bool begun_ = false;
};

}  // namespace stoker::gateway
