#include "collect/discovery/outbound.h"

#include "base/file.h"
#include "base/text.h"

namespace stoker::collect {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kMostCredentials = std::size_t{64} << 10;

bool through_proxy(const net::ProxyOptions& proxy, net::Url url) {
    if (url.tls) return false;
    url.tls = true;  // goes_direct() speaks of proxies for https.
    return !net::goes_direct(proxy, url);
}

}  // namespace

Result<std::unique_ptr<Outbound>> Outbound::create(asio::io_context& loop, const std::optional<TlsConfig>& tls,
                                                   const ProxyConfig& proxy) {
    net::ClientOptions options;
    if (tls) {
        for (const std::string& file : {tls->ca_file, tls->cert_file, tls->key_file}) {
            if (file.empty()) continue;
            const auto there = read_file(file);
            if (!there) return Error(there.error()).context("tls_config");
        }
        options.tls = {.ca_file = tls->ca_file,
                       .verify = !tls->insecure_skip_verify,
                       .certificate_file = tls->cert_file,
                       .key_file = tls->key_file};
    }
    TRY(Proxies proxies, find_proxies(proxy, config::process_environment()));
    options.idle_per_origin = 2;
    options.idle_timeout = Duration{120'000};  // Longer than most intervals, so that connections are kept.
    net::ClientOptions proxied = options;
    proxied.proxy = proxies.http;
    options.proxy = std::move(proxies.https);
    return std::unique_ptr<Outbound>(new Outbound(net::Client::create(loop, std::move(options)),
                                                  net::Client::create(loop, std::move(proxied)),
                                                  std::move(proxies.http)));
}

asio::awaitable<Result<std::unique_ptr<net::Call>>> Outbound::send(net::Url url, net::ClientRequest request,
                                                                   net::Deadlines deadlines, net::CancelToken* cancel) {
    const bool proxied = through_proxy(http_, url);
    if (proxied) {
        address_proxy(request, url);
        url.host = http_.host;
        url.port = http_.port;
    }
    net::Client& client = proxied ? *proxied_ : *client_;
    co_return co_await client.send(url, std::move(request), deadlines, cancel);
}

Result<std::string> secret_of(const std::string& text, const std::string& file) {
    if (file.empty()) return text;
    TRY(auto content, read_file(file, kMostCredentials));
    return std::string(trim(content));
}

void address_proxy(net::ClientRequest& request, const net::Url& url) {
    request.target = "http://" + url.host_header() + request.target;
    request.headers.set("Host", url.host_header());
}

}  // namespace stoker::collect
