#include "collect/discovery/http_access.h"

#include <algorithm>

#include "crypto/hmac.h"
#include "wire/compression.h"

namespace stoker::collect {
namespace {

namespace asio = boost::asio;

constexpr int kMostRedirects = 10;  // As Go's client, which Prometheus uses.

Duration left_until(SteadyTime end) {
    const auto left = std::chrono::duration_cast<Duration>(end - std::chrono::steady_clock::now());
    return std::max(Duration{1}, left);
}

bool is_redirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

Result<net::Url> redirected(const net::Url& from, std::string_view location) {
    if (!location.starts_with('/')) return net::parse_url(location);
    net::Url to = from;
    to.path = location;
    return to;
}

}  // namespace

Result<std::shared_ptr<HttpAccess>> HttpAccess::create(asio::io_context& loop, HttpConfig config) {
    TRY(auto client, Outbound::create(loop, config.tls_config, config.proxy));
    std::unique_ptr<OAuth2Source> tokens;
    if (config.oauth2) {
        TRY(tokens, OAuth2Source::create(loop, *config.oauth2));
    }
    return std::shared_ptr<HttpAccess>(new HttpAccess(std::move(config), std::move(client), std::move(tokens)));
}

Result<std::string> HttpAccess::authorization() const {
    if (const auto& basic = config_.basic_auth) {
        TRY(const auto password, secret_of(basic->password, basic->password_file));
        return "Basic " + crypto::base64_encode(basic->username + ":" + password);
    }
    std::string type = "Bearer";
    std::string text = config_.bearer_token;
    std::string file = config_.bearer_token_file;
    if (const auto& given = config_.authorization) {
        type = given->type;
        text = given->credentials;
        file = given->credentials_file;
    }
    TRY(const auto credentials, secret_of(text, file));
    return credentials.empty() ? std::string{} : type + " " + credentials;
}

asio::awaitable<Result<std::unique_ptr<net::Call>>> HttpAccess::open(net::Url url, FetchOptions options,
                                                                     Stopper& stopper) {
    if (stopper.stopped()) co_return Error{Errc::Cancelled, "called off"};
    const SteadyTime end = std::chrono::steady_clock::now() + options.limit;
    std::string credentials;
    if (tokens_) {
        CO_TRY(credentials, co_await tokens_->authorization(end, stopper));
    } else {
        CO_TRY(credentials, authorization());
    }
    for (int redirects = 0;; ++redirects) {
        net::ClientRequest request;
        request.target = url.path;
        request.headers = options.headers;
        request.headers.add("Accept", options.accept);
        request.headers.add("User-Agent", "stoker");
        if (options.gzip) request.headers.add("Accept-Encoding", "gzip");
        if (!credentials.empty()) request.headers.add("Authorization", credentials);
        net::Deadlines deadlines;
        deadlines.connect = deadlines.head = deadlines.between = left_until(end);
        auto sent = co_await client_->send(url, std::move(request), deadlines, &stopper.token());
        if (!sent) co_return std::move(sent).error();
        std::unique_ptr<net::Call> call = *std::move(sent);
        if (tokens_ && call->head().status == 401) tokens_->refused(credentials);
        const auto location = call->head().headers.get("location");
        if (!config_.follow_redirects || !is_redirect(call->head().status) || !location) co_return call;
        if (redirects == kMostRedirects) co_return Error{Errc::Unavailable, "more than 10 redirects"};
        auto next = redirected(url, *location);
        if (!next) co_return std::move(next).error().context("redirect");
        // Credentials are for the one they were given for.
        if (next->host != url.host || next->port != url.port) credentials.clear();
        url = *std::move(next);
    }
}

asio::awaitable<Result<Page>> HttpAccess::get(net::Url url, FetchOptions options, Stopper& stopper) {
    const SteadyTime end = std::chrono::steady_clock::now() + options.limit;
    const Duration limit = options.limit;
    const std::size_t most = options.max_body;
    auto opened = co_await open(std::move(url), std::move(options), stopper);
    if (!opened) co_return std::move(opened).error();
    std::unique_ptr<net::Call> call = *std::move(opened);
    Page page;
    page.status = call->head().status;
    page.content_type = std::string(call->head().headers.get("content-type").value_or(""));
    const std::string encoding(call->head().headers.get("content-encoding").value_or(""));
    stopper.watch(call.get());
    Result<std::string_view> piece = std::string_view{};
    while (true) {
        call->set_between(left_until(end));
        piece = co_await call->read_some();
        if (!piece || piece->empty()) break;
        if (page.body.size() + piece->size() > most) {
            piece = Error{Errc::ResourceExhausted, "the body is larger than " + std::to_string(most) + " bytes"};
            break;
        }
        page.body += *piece;
        if (std::chrono::steady_clock::now() >= end) {
            piece = Error{Errc::DeadlineExceeded, "the body did not end within " + format_duration(limit)};
            break;
        }
    }
    stopper.watch(nullptr);
    if (!piece) co_return std::move(piece).error();
    if (encoding.empty()) co_return page;
    auto plain = wire::decompress(encoding, page.body, most);
    if (!plain) co_return std::move(plain).error();
    page.body = *std::move(plain);
    co_return page;
}

}  // namespace stoker::collect
