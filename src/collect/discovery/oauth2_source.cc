#include "collect/discovery/oauth2_source.h"

#include <algorithm>

namespace stoker::collect {
namespace {

namespace asio = boost::asio;

constexpr Duration kBefore{10'000};      // So long before its end a token is no longer sent.
constexpr Duration kLongest{3'600'000};  // How long one without an end is believed.
constexpr Duration kLook{20};            // How often somebody who waits looks whether it is there.
constexpr std::size_t kMostAnswer = std::size_t{1} << 20;

Duration left_until(SteadyTime end) {
    return std::max(Duration{1}, std::chrono::duration_cast<Duration>(end - std::chrono::steady_clock::now()));
}

}  // namespace

Result<std::unique_ptr<OAuth2Source>> OAuth2Source::create(asio::io_context& loop, OAuth2Config config) {
    TRY(auto url, net::parse_url(config.token_url));
    auto client = Outbound::create(loop, config.tls_config, config.proxy);
    if (!client) return std::move(client).error().context("oauth2");
    return std::unique_ptr<OAuth2Source>(new OAuth2Source(std::move(config), std::move(url), *std::move(client)));
}

asio::awaitable<Result<std::string>> OAuth2Source::authorization(SteadyTime end, Stopper& stopper) {
    auto secret = secret_of(config_.client_secret, config_.client_secret_file);
    if (!secret) co_return std::move(secret).error().context("oauth2");
    const std::uint64_t failures = failures_;
    while (asking_) {
        if (stopper.stopped()) co_return Error{Errc::Cancelled, "called off"};
        if (std::chrono::steady_clock::now() >= end)
            co_return Error{Errc::DeadlineExceeded, "oauth2: no token in time"};
        co_await stopper.sleep_for(kLook);
    }
    if (failures_ != failures) co_return failure_;  // Others have just tried.
    if (!held_.empty() && secret_ == *secret && std::chrono::steady_clock::now() < good_until_) co_return held_;
    struct Asking {
        bool& flag;
        explicit Asking(bool& which) : flag(which) { flag = true; }
        ~Asking() { flag = false; }
    } asking(asking_);
    auto token = co_await ask(*secret, end, stopper);
    if (!token) {
        Error error = std::move(token).error().context("oauth2: " + config_.token_url);
        if (!stopper.stopped()) {
            failure_ = error;
            ++failures_;
        }
        co_return error;
    }
    held_ = std::move(token->authorization);
    secret_ = *std::move(secret);
    const Duration good_for = token->good_for.count() > 0 ? token->good_for - kBefore : kLongest;
    good_until_ = std::chrono::steady_clock::now() + good_for;
    co_return held_;
}

void OAuth2Source::refused(const std::string& authorization) {
    if (held_ == authorization) held_.clear();
}

asio::awaitable<Result<OAuth2Token>> OAuth2Source::ask(std::string secret, SteadyTime end, Stopper& stopper) {
    OAuth2Request request = oauth2_request(config_, secret, style_);
    auto token = co_await post(std::move(request), end, stopper);
    if (token || token.error().code != Errc::PermissionDenied) co_return token;
    // RFC 6749 leaves it to the endpoint which style it takes.
    const OAuth2Style other = style_ == OAuth2Style::Header ? OAuth2Style::Body : OAuth2Style::Header;
    OAuth2Request otherwise = oauth2_request(config_, secret, other);
    auto again = co_await post(std::move(otherwise), end, stopper);
    if (!again) co_return token;
    style_ = other;
    co_return again;
}

asio::awaitable<Result<OAuth2Token>> OAuth2Source::post(OAuth2Request request, SteadyTime end, Stopper& stopper) {
    net::ClientRequest sent;
    sent.method = "POST";
    sent.target = url_.path;
    sent.headers = std::move(request.headers);
    sent.headers.add("User-Agent", "stoker");
    sent.body = request.body;
    net::Deadlines deadlines;
    deadlines.connect = deadlines.head = deadlines.between = left_until(end);
    auto answered = co_await client_->send(url_, std::move(sent), deadlines, &stopper.token());
    if (!answered) co_return std::move(answered).error();
    const std::unique_ptr<net::Call> call = *std::move(answered);
    call->set_between(left_until(end));
    stopper.watch(call.get());
    auto body = co_await call->read_all(kMostAnswer);
    stopper.watch(nullptr);
    if (!body) co_return std::move(body).error();
    co_return oauth2_token(call->head().status, *body);
}

}  // namespace stoker::collect
