// The HTTP/1.1 client: keep-alive connections pooled per origin and per loop, bodies streamed both ways, TLS, a
// deadline on every wait.
//
// Use a Client only from the loop it was made for. A Call owns its connection until its body was read to the end, then
// the connection goes back to the pool; dropping a Call before that closes the connection, which is how a request is
// cancelled.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "net/http.h"
#include "net/proxy.h"

namespace stoker::net {

// What exactly failed; stands in Error::detail.
enum class Fault : std::uint16_t {
    None = 0,
    Resolve,         // The name has no address.
    ConnectRefused,  // Nobody listens, or no route.
    ConnectTimeout,
    Proxy,  // The proxy before it refused, or is none.
    Tls,
    WriteFailed,      // Reset or closed while the request was being sent.
    ResetBeforeHead,  // Closed before a response head came.
    HeadTimeout,      // No response head in time.
    MalformedHead,    // Not HTTP, or a head past its limit.
    BodyCut,          // Closed before the body's announced end.
    BodyTimeout,      // Silence in mid-body.
    MalformedBody,    // Broken chunking.
    Cancelled         // Call::cancel().
};

Fault fault_of(const Error& error);
std::string_view to_string(Fault fault);  // snake_case, for labels: "connect_refused".

struct Deadlines {
    Duration connect{2'000};
    Duration head{60'000};     // From the request sent to the response head.
    Duration between{60'000};  // Between two pieces of the body.
};

// What comes of a request's body after the part that is there already, read as it is sent. Lives on the client's loop.
class BodySource {
public:
    virtual ~BodySource() = default;
    virtual std::uint64_t size() const = 0;  // Of all that is to come.
    // The next piece, empty at the end; the view holds until the next call. An error ends the request with it.
    virtual boost::asio::awaitable<Result<std::string_view>> read_some() = 0;
};

struct ClientRequest {
    std::string method = "GET";
    std::string target = "/";                  // Path and query; a whole URL for a proxy, with its credentials.
    Headers headers;                           // Host, Content-Length and Connection are added.
    std::string_view body;                     // REQUIRES: outlives the call to send().
    std::span<const std::string_view> more{};  // Further pieces of the body, at most kMostPieces; they outlive it too.
    BodySource* source = nullptr;              // The rest of the body. Such a request is sent once only.

    static constexpr std::size_t kMostPieces = 6;
};

// A response being read. Not thread-safe; lives on its client's loop.
class Call {
public:
    virtual ~Call() = default;
    virtual const ResponseHead& head() const = 0;

    // The next piece of the body, as it came from the socket; empty at its end. The view holds until the next call.
    virtual boost::asio::awaitable<Result<std::string_view>> read_some() = 0;
    // The rest of the body. Errors: ResourceExhausted past `limit`.
    virtual boost::asio::awaitable<Result<std::string>> read_all(std::size_t limit) = 0;

    // Closes the connection; a read that waits returns Fault::Cancelled.
    virtual void cancel() = 0;
    // Silence allowed between pieces from now on.
    virtual void set_between(Duration between) = 0;

    // How long it took to connect; zero on a connection that was there already.
    virtual std::chrono::steady_clock::duration connect_time() const = 0;
};

// Lets somebody on the same loop cancel a send() that has not returned its Call yet.
class CancelToken {
public:
    void cancel();
    bool cancelled() const { return cancelled_; }

    // Called by the client: what to do on cancel(); empty to clear.
    void on_cancel(std::function<void()> action);

private:
    bool cancelled_ = false;
    std::function<void()> action_;
};

struct TlsClientOptions {
    std::string ca_file;  // Empty: the system's.
    bool verify = true;
    std::string certificate_file;  // For mutual TLS; empty: none.
    std::string key_file;
};

struct ClientOptions {
    std::size_t idle_per_origin = 256;
    Duration idle_timeout{30'000};
    std::size_t max_header_bytes = 64 * 1024;
    TlsClientOptions tls;
    ProxyOptions proxy;
};

class Client {
public:
    static std::unique_ptr<Client> create(boost::asio::io_context& loop, ClientOptions options = {});
    virtual ~Client() = default;

    // Sends and waits for the response head. A request that fails on a reused connection before any byte of a response
    // came is sent once more on a fresh one. Errors carry their Fault.
    virtual boost::asio::awaitable<Result<std::unique_ptr<Call>>> send(const Url& origin, ClientRequest request,
                                                                       Deadlines deadlines,
                                                                       CancelToken* cancel = nullptr) = 0;
};

// One whole exchange, for callers that want the answer in memory. Errors also: ResourceExhausted past `limit`.
boost::asio::awaitable<Result<Response>> fetch(Client& client, Url url, std::string method, Headers headers,
                                               std::string body, Deadlines deadlines, std::size_t limit);

}  // namespace stoker::net
