// gateway and console: where they listen, and what one client may ask of them.
#include <fmt/format.h>

#include <cctype>
#include <filesystem>
#include <utility>

#include "app/config.h"
#include "app/config_checks.h"
#include "base/text.h"

namespace stoker::app {
namespace {

struct ListenAddress {
    std::string host;
    std::int64_t port = 0;
};

// "127.0.0.1:8700", "[::1]:8700", "localhost:0", "*:80". Hosts are addresses: a name could mean another machine
// tomorrow.
std::optional<ListenAddress> parse_listen(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos) return std::nullopt;
    std::string host = text.substr(0, colon);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    const bool v6 = is_ipv6_address(host);
    if (v6 != bracketed) return std::nullopt;
    const bool any = host.empty() || host == "*";
    if (!v6 && !any && host != "localhost" && !is_ipv4_address(host)) return std::nullopt;
    const auto port = parse_integer(text.substr(colon + 1));
    if (!port || *port < 0 || *port > 65535) return std::nullopt;
    return ListenAddress{host, *port};
}

bool stays_on_this_machine(const ListenAddress& address) {
    return address.host == "localhost" || address.host == "::1" || address.host.starts_with("127.");
}

constexpr std::string_view kNoAddress =
    "expected ADDRESS:PORT such as 127.0.0.1:8700 or [::1]:8700; port 0 takes a free one";
constexpr std::string_view kPublicGateway =
    "would be reachable from other machines by anyone; set auth.required: true so that keys are asked for, or "
    "allow_public: true in this section if the network itself is trusted";
constexpr std::string_view kPublicConsole =
    "would be reachable from other machines, and the console asks for no credentials; keep it on 127.0.0.1 behind a "
    "proxy that does, or set allow_public: true in this section if the network itself is trusted";

// What can't be read as an address is a problem of its own.
bool is_public(const ListenerConfig& listener) {
    const auto address = parse_listen(listener.listen);
    return address && !stays_on_this_machine(*address);
}

bool may_listen(const Config& c, const ListenerConfig& listener) {
    const bool asks_for_keys = &listener == &c.gateway && c.auth.required;
    return !is_public(listener) || listener.allow_public || asks_for_keys;
}

Result<Unit> override_listen(Config& config, ListenerConfig& listener, const std::string& listen,
                             std::string_view refusal) {
    if (!parse_listen(listen)) return Error{Errc::InvalidArgument, fmt::format("'{}': {}", listen, kNoAddress)};
    const std::string before = std::exchange(listener.listen, listen);
    if (may_listen(config, listener)) return Unit{};
    listener.listen = before;
    return Error{Errc::PermissionDenied, fmt::format("'{}' {}", listen, refusal)};
}

}  // namespace

void describe(config::Fields& f, TlsConfig& c) {
    f.field("certificate", c.certificate, "PEM file with the certificate and its chain.");
    f.required("certificate");
    f.field("key", c.key, "PEM file with the private key.");
    f.required("key");
}

void describe(config::Fields& f, LimitsConfig& c) {
    f.field("max_body", c.max_body, "Largest request body; a larger one gets 413.");
    f.check("max_body", c.max_body.count > 0, kMustBePositive);
    f.field("max_header", c.max_header, "Largest request head; a larger one gets 431.");
    f.check("max_header", c.max_header.count >= 1024, "must be at least 1KiB");
    f.field("max_connections", c.max_connections, "Connections open at a time; past that, accepting waits.");
    f.check("max_connections", c.max_connections > 0, kMustBePositive);
    positive(f, "header_timeout", c.header_timeout,
             "From the first byte of a request to the end of its head; past it 408, which ends slow-loris clients.");
    positive(f, "body_timeout", c.body_timeout, "Silence allowed within a request body.");
    positive(f, "idle_timeout", c.idle_timeout, "How long a connection is kept between two requests.");
    positive(f, "write_timeout", c.write_timeout, "How long a client may take for one piece of an answer.");
}

void describe(config::Fields& f, ListenerConfig& c) {
    f.field(
        "listen", c.listen,
        "ADDRESS:PORT to listen on; port 0 takes a free one, the addresses really bound stand in run.json in the data "
        "folder.");
    const auto address = parse_listen(c.listen);
    f.check("listen", address.has_value(), kNoAddress);
    f.field("allow_public", c.allow_public,
            "Allows an address that other machines can reach without asking them for credentials. The gateway needs it "
            "not where `auth.required` is true.");
    f.object("tls", c.tls, "Serves HTTPS instead of HTTP.");
    f.object("limits", c.limits, "What one client may ask for.");
}

void check_public(config::Fields& f, const Config& c) {
    f.check("gateway.listen", may_listen(c, c.gateway), kPublicGateway);
    f.check("console.listen", may_listen(c, c.console), kPublicConsole);
}

Result<Unit> override_gateway_listen(Config& config, const std::string& listen) {
    return override_listen(config, config.gateway, listen, kPublicGateway);
}

Result<Unit> override_console_listen(Config& config, const std::string& listen) {
    return override_listen(config, config.console, listen, kPublicConsole);
}

}  // namespace stoker::app
