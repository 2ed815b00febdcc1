#include "collect/discovery/http_access.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/file.h"
#include "base/text.h"
#include "wire/compression.h"

namespace stoker::collect {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kMostCredentials = std::size_t{64} << 10;
constexpr int kMostRedirects = 10;  // As Go's client, which Prometheus uses.

Duration left_until(SteadyTime end) {
    const auto left = std::chrono::duration_cast<Duration>(end - std::chrono::steady_clock::now());
    return std::max(Duration{1}, left);
}

Result<std::string> secret_of(const std::string& text, const std::string& file) {
    if (file.empty()) return text;
    TRY(auto content, read_file(file, kMostCredentials));
    return std::string(trim(content));
}

std::string base64(std::string_view text) {
    constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t at = 0; at < text.size(); at += 3) {
        std::uint32_t bits = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            bits = bits << 8 | (at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u);
        }
        for (std::size_t i = 0; i < 4; ++i) {
            out += at + i <= text.size() ? kDigits[bits >> (18 - 6 * i) & 63] : '=';
        }
    }
    return out;
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

void Stopper::stop() {
    stopped_ = true;
    token_.cancel();
    timer_.cancel();
    if (call_ != nullptr) call_->cancel();
}

asio::awaitable<void> Stopper::sleep_until(SteadyTime time) {
    if (stopped_) co_return;
    timer_.expires_at(time);
    co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
}

asio::awaitable<void> Stopper::sleep_for(Duration duration) {
    co_await sleep_until(std::chrono::steady_clock::now() + duration);
}

HttpAccess::HttpAccess(asio::io_context& loop, HttpConfig config)
    : config_(std::move(config)), client_([&] {
          net::ClientOptions options;
          if (const auto& tls = config_.tls_config) {
              options.tls = {.ca_file = tls->ca_file,
                             .verify = !tls->insecure_skip_verify,
                             .certificate_file = tls->cert_file,
                             .key_file = tls->key_file};
          }
          options.idle_per_origin = 2;
          options.idle_timeout = Duration{120'000};  // Longer than most intervals, so that connections are kept.
          return net::Client::create(loop, std::move(options));
      }()) {}

Result<std::shared_ptr<HttpAccess>> HttpAccess::create(asio::io_context& loop, HttpConfig config) {
    if (const auto& tls = config.tls_config) {
        for (const std::string& file : {tls->ca_file, tls->cert_file, tls->key_file}) {
            if (file.empty()) continue;
            const auto there = read_file(file);
            if (!there) return Error(there.error()).context("tls_config");
        }
    }
    return std::shared_ptr<HttpAccess>(new HttpAccess(loop, std::move(config)));
}

Result<std::string> HttpAccess::authorization() const {
    if (const auto& basic = config_.basic_auth) {
        TRY(const auto password, secret_of(basic->password, basic->password_file));
        return "Basic " + base64(basic->username + ":" + password);
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
    CO_TRY(std::string credentials, authorization());
    const SteadyTime end = std::chrono::steady_clock::now() + options.limit;
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
