// GETs for jobs and sources: with their credentials, redirects and gzip, every wait bounded, and to be called off.
//
// Lives on one loop.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "collect/discovery/http_config.h"
#include "collect/discovery/oauth2_source.h"
#include "collect/discovery/outbound.h"
#include "collect/discovery/stopper.h"
#include "collect/scrape/http_get.h"
#include "net/client.h"

namespace stoker::collect {

struct FetchOptions {
    Duration limit{10'000};  // For all of it.
    std::size_t max_body = std::size_t{16} << 20;
    std::string accept = "*/*";
    bool gzip = true;
    net::Headers headers{};
};

class HttpAccess {
public:
    // Errors: as Outbound::create().
    static Result<std::shared_ptr<HttpAccess>> create(boost::asio::io_context& loop, HttpConfig config);

    // The page, decompressed; any status. Errors: as net::Client; DeadlineExceeded; NotFound and PermissionDenied for a
    // file with credentials; OAuth2Source's.
    boost::asio::awaitable<Result<Page>> get(net::Url url, FetchOptions options, Stopper& stopper);

    // The response whose body is still to come, for what streams. The caller tells `stopper` of the call.
    boost::asio::awaitable<Result<std::unique_ptr<net::Call>>> open(net::Url url, FetchOptions options,
                                                                    Stopper& stopper);

private:
    HttpAccess(HttpConfig config, std::unique_ptr<Outbound> client, std::unique_ptr<OAuth2Source> tokens)
        : config_(std::move(config)), client_(std::move(client)), tokens_(std::move(tokens)) {}
    Result<std::string> authorization() const;

    const HttpConfig config_;
    const std::unique_ptr<Outbound> client_;
    const std::unique_ptr<OAuth2Source> tokens_;  // Null without oauth2.
};

}  // namespace stoker::collect
