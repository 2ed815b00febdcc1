#include "net/client.h"

#include <boost/asio/ssl/context.hpp>
#include <deque>
#include <unordered_map>

#include "net/client_connection.h"
#include "net/proxy_credentials.h"
#include "net/serialize.h"
#include "net/tls.h"

namespace stoker::net {
namespace asio = boost::asio;

Fault fault_of(const Error& error) {
    return static_cast<Fault>(error.detail);
}

std::string_view to_string(Fault fault) {
    switch (fault) {
        case Fault::None:
            return "none";
        case Fault::Resolve:
            return "resolve";
        case Fault::ConnectRefused:
            return "connect_refused";
        case Fault::ConnectTimeout:
            return "connect_timeout";
        case Fault::Proxy:
            return "proxy";
        case Fault::Tls:
            return "tls";
        case Fault::WriteFailed:
            return "write_failed";
        case Fault::ResetBeforeHead:
            return "reset_before_head";
        case Fault::HeadTimeout:
            return "head_timeout";
        case Fault::MalformedHead:
            return "malformed_head";
        case Fault::BodyCut:
            return "body_cut";
        case Fault::BodyTimeout:
            return "body_timeout";
        case Fault::MalformedBody:
            return "malformed_body";
        case Fault::Cancelled:
            return "cancelled";
    }
    return "unknown";
}

void CancelToken::cancel() {
    cancelled_ = true;
    if (auto action = std::exchange(action_, nullptr)) action();
}

void CancelToken::on_cancel(std::function<void()> action) {
    action_ = std::move(action);
}

namespace internal {
namespace {

// Idle connections by origin, the one used last taken first: the others may then time out.
class Pool {
public:
    Pool(std::size_t idle_per_origin, Duration idle_timeout)
        : idle_per_origin_(idle_per_origin), idle_timeout_(idle_timeout) {}

    // A connection that is still good, or null.
    std::unique_ptr<ClientConnection> take(const std::string& origin) {
        const auto found = idle_.find(origin);
        if (found == idle_.end()) return nullptr;
        auto& connections = found->second;
        while (!connections.empty()) {
            auto connection = std::move(connections.back());
            connections.pop_back();
            if (connection->is_open() && !connection->stale()) return connection;
        }
        return nullptr;
    }

    void put(const std::string& origin, std::unique_ptr<ClientConnection> connection) {
        auto& connections = idle_[origin];
        // The oldest stand in front; those whose time was up are closed already.
        while (!connections.empty() && !connections.front()->is_open()) connections.pop_front();
        if (connections.size() >= idle_per_origin_) return;
        connection->park(idle_timeout_);
        connections.push_back(std::move(connection));
    }

private:
    const std::size_t idle_per_origin_;
    const Duration idle_timeout_;
    std::unordered_map<std::string, std::deque<std::unique_ptr<ClientConnection>>> idle_;
};

class HttpCall final : public Call {
public:
    HttpCall(std::shared_ptr<Pool> pool, std::string origin, std::unique_ptr<ClientConnection> connection,
             ResponseHead head, Duration between, std::chrono::steady_clock::duration connect_time)
        : pool_(std::move(pool)),
          origin_(std::move(origin)),
          connection_(std::move(connection)),
          head_(std::move(head)),
          between_(between),
          connect_time_(connect_time) {}

    ~HttpCall() override {
        if (connection_->reusable()) pool_->put(origin_, std::move(connection_));
    }

    const ResponseHead& head() const override { return head_; }

    asio::awaitable<Result<std::string_view>> read_some() override { return connection_->read_some(between_); }

    asio::awaitable<Result<std::string>> read_all(std::size_t limit) override {
        std::string body;
        const auto announced = connection_->content_length();
        if (announced.value_or(0) <= limit) body.reserve(announced.value_or(0));
        while (true) {
            CO_TRY(const std::string_view piece, co_await read_some());
            if (piece.empty()) break;
            if (piece.size() > limit - body.size()) {
                co_return Error{Errc::ResourceExhausted,
                                "the response is larger than " + std::to_string(limit) + " bytes"};
            }
            body += piece;
        }
        co_return body;
    }

    void cancel() override { connection_->cancel(); }
    void set_between(Duration between) override { between_ = between; }
    std::chrono::steady_clock::duration connect_time() const override { return connect_time_; }

private:
    const std::shared_ptr<Pool> pool_;
    const std::string origin_;
    std::unique_ptr<ClientConnection> connection_;
    const ResponseHead head_;
    Duration between_;
    const std::chrono::steady_clock::duration connect_time_;
};

// Points a token at the connection that works for it, for as long as it does.
class Cancellable {
public:
    Cancellable(CancelToken* token, ClientConnection& connection) : token_(token) {
        if (token_ != nullptr) token_->on_cancel([&connection] { connection.cancel(); });
    }
    ~Cancellable() {
        if (token_ != nullptr) token_->on_cancel(nullptr);
    }
    Cancellable(const Cancellable&) = delete;
    Cancellable& operator=(const Cancellable&) = delete;

private:
    CancelToken* token_;
};

class HttpClient final : public Client {
public:
    HttpClient(asio::io_context& loop, ClientOptions options)
        : loop_(loop),
          options_(std::make_shared<const ClientOptions>(std::move(options))),
          pool_(std::make_shared<Pool>(options_->idle_per_origin, options_->idle_timeout)) {}

    asio::awaitable<Result<std::unique_ptr<Call>>> send(const Url& origin, ClientRequest request, Deadlines deadlines,
                                                        CancelToken* cancel) override {
        std::string head;
        // A whole URL is for a proxy (RFC 9112, 3.2.2); nobody else is to learn who we are there.
        const ProxyOptions& proxy = options_->proxy;
        const bool to_proxy = request.target.starts_with("http://") && !origin.tls && origin.host == proxy.host &&
                              origin.port == proxy.port;
        append_request_head(head, request.method, request.target, origin.host_header(), request.headers,
                            length_of(request), to_proxy ? proxy_authorization(proxy) : std::string{});
        const std::string key = (origin.tls ? "s " : "p ") + origin.host + ' ' + origin.port;
        // What can be sent only once needs a connection that is known to be good.
        for (auto connection = request.source ? nullptr : pool_->take(key);; connection = nullptr) {
            const bool reused = connection != nullptr;
            if (!reused) connection = std::make_unique<ClientConnection>(loop_, options_);
            Cancellable cancellable(cancel, *connection);
            if (cancel != nullptr && cancel->cancelled()) co_return fault(Fault::Cancelled, "cancelled");
            std::chrono::steady_clock::duration connect_time{0};
            if (!reused) {
                const auto began = std::chrono::steady_clock::now();
                asio::ssl::context* tls = nullptr;
                if (origin.tls) {
                    CO_TRY(tls, tls_context());
                }
                CO_TRY_UNIT(co_await connection->connect(origin, tls, deadlines.connect));
                connect_time = std::chrono::steady_clock::now() - began;
            }
            ResponseHead response;
            auto sent = co_await connection->exchange(head, request, response, deadlines.head);
            if (sent) {
                std::unique_ptr<Call> call = std::make_unique<HttpCall>(
                    pool_, key, std::move(connection), std::move(response), deadlines.between, connect_time);
                co_return call;
            }
            if (!reused || !connection->silent() || !was_stale(sent.error())) co_return std::move(sent).error();
        }
    }

private:
    // The peer closed a kept connection just as we took it.
    static bool was_stale(const Error& error) {
        const Fault what = fault_of(error);
        return what == Fault::WriteFailed || what == Fault::ResetBeforeHead;
    }

    static std::optional<std::uint64_t> length_of(const ClientRequest& request) {
        std::uint64_t length = request.body.size();
        for (const std::string_view piece : request.more) length += piece.size();
        if (request.source != nullptr) length += request.source->size();
        const bool has_body =
            length > 0 || request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
        return has_body ? std::optional<std::uint64_t>(length) : std::nullopt;
    }

    // Made on first use: reading the system's certificates takes a while.
    Result<asio::ssl::context*> tls_context() {
        if (!tls_) {
            auto made = client_context(options_->tls);
            if (!made) return fault(Fault::Tls, made.error().message);
            tls_ = *std::move(made);
        }
        return tls_.get();
    }

    asio::io_context& loop_;
    std::shared_ptr<const ClientOptions> options_;
    std::shared_ptr<asio::ssl::context> tls_;
    std::shared_ptr<Pool> pool_;
};

}  // namespace
}  // namespace internal

std::unique_ptr<Client> Client::create(asio::io_context& loop, ClientOptions options) {
    return std::make_unique<internal::HttpClient>(loop, std::move(options));
}

asio::awaitable<Result<Response>> fetch(Client& client, Url url, std::string method, Headers headers, std::string body,
                                        Deadlines deadlines, std::size_t limit) {
    ClientRequest request{std::move(method), url.path, std::move(headers), body};
    CO_TRY(auto call, co_await client.send(url, std::move(request), deadlines));
    Response response{call->head().status, call->head().headers, {}};
    CO_TRY(response.body, co_await call->read_all(limit));
    co_return response;
}

}  // namespace stoker::net
