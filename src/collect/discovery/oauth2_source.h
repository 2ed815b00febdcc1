// Tokens for the requests of a job: fetched when there is none or it is about to end, once for all who wait.
//
// Lives on one loop.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "collect/discovery/oauth2_token.h"
#include "collect/discovery/outbound.h"
#include "collect/discovery/stopper.h"

namespace stoker::collect {

class OAuth2Source {
public:
    // Errors: as Outbound::create(); InvalidArgument (the endpoint is no URL).
    static Result<std::unique_ptr<OAuth2Source>> create(boost::asio::io_context& loop, OAuth2Config config);

    // What to send as Authorization. A changed secret, read from its file each time, means a new token. Errors name the
    // endpoint; DeadlineExceeded (none by `end`), Cancelled (by `stopper`).
    boost::asio::awaitable<Result<std::string>> authorization(SteadyTime end, Stopper& stopper);

    // It was not accepted, though its time is not up: the next one who asks gets another.
    void refused(const std::string& authorization);

private:
    OAuth2Source(OAuth2Config config, net::Url url, std::unique_ptr<Outbound> client)
        : config_(std::move(config)), url_(std::move(url)), client_(std::move(client)) {}
    boost::asio::awaitable<Result<OAuth2Token>> ask(std::string secret, SteadyTime end, Stopper& stopper);
    boost::asio::awaitable<Result<OAuth2Token>> post(OAuth2Request request, SteadyTime end, Stopper& stopper);

    const OAuth2Config config_;
    const net::Url url_;
    const std::unique_ptr<Outbound> client_;
    OAuth2Style style_ = OAuth2Style::Header;
    std::string held_;  // Empty: none.
    std::string secret_;
    SteadyTime good_until_{};
    bool asking_ = false;
    std::uint64_t failures_ = 0;
    Error failure_{};  // The last one.
};

}  // namespace stoker::collect
