// An HTTP client with the TLS settings and the proxies of a configuration.
//
// Lives on one loop.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>

#include "collect/discovery/http_config.h"
#include "net/client.h"

namespace stoker::collect {

class Outbound {
public:
    // Errors: InvalidArgument (a proxy's address in the environment); what keeps a certificate's file from being read.
    static Result<std::unique_ptr<Outbound>> create(boost::asio::io_context& loop, const std::optional<TlsConfig>& tls,
                                                    const ProxyConfig& proxy);

    // As net::Client::send.
    boost::asio::awaitable<Result<std::unique_ptr<net::Call>>> send(net::Url url, net::ClientRequest request,
                                                                    net::Deadlines deadlines, net::CancelToken* cancel);

private:
    Outbound(std::unique_ptr<net::Client> client, std::unique_ptr<net::Client> proxied, net::ProxyOptions http)
        : client_(std::move(client)), proxied_(std::move(proxied)), http_(std::move(http)) {}

    const std::unique_ptr<net::Client> client_;   // Knows the proxy for https.
    const std::unique_ptr<net::Client> proxied_;  // Speaks with the one for http.
    const net::ProxyOptions http_;
};

// `text`, or what stands in `file` if that is named, without blanks at its ends. Errors: NotFound, PermissionDenied.
Result<std::string> secret_of(const std::string& text, const std::string& file);

// A request for http:// as it is sent to a proxy: the whole URL as its target, the target's name as its host (RFC 9112,
// 3.2.2).
void address_proxy(net::ClientRequest& request, const net::Url& url);

}  // namespace stoker::collect
