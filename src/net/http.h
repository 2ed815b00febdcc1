// HTTP messages as values: heads, headers, whole responses. No I/O here, and no Beast.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace stoker::net {

// Header fields in order, names compared without case.
class Headers {
public:
    Headers() = default;
    Headers(std::initializer_list<std::pair<std::string, std::string>> fields) : fields_(fields) {}

    void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
    void set(std::string_view name, std::string value);  // Replaces all of that name by one.
    void erase(std::string_view name);
    void clear() { fields_.clear(); }
    std::optional<std::string_view> get(std::string_view name) const;  // The first of that name.

    auto begin() const { return fields_.begin(); }
    auto end() const { return fields_.end(); }
    std::size_t size() const { return fields_.size(); }

private:
    std::vector<std::pair<std::string, std::string>> fields_;
};

struct RequestHead {
    std::string method;
    std::string target;  // As sent: path and query.
    Headers headers;
    std::string peer;  // "127.0.0.1:54321"

    std::string_view path() const;
    std::string_view query() const;  // Without '?'; empty if none.
};

struct ResponseHead {
    int status = 200;
    Headers headers;
};

// A response that is whole in memory.
struct Response {
    int status = 200;
    Headers headers;
    std::string body;
};

// Decodes "a=1&b=x%20y" (and '+' as a space) in order. Undecodable escapes stay as they are.
std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query);
std::string url_encode(std::string_view text);

// True for fields that belong to one connection and must not be passed on (RFC 9110, 7.6.1).
bool is_hop_by_hop(std::string_view header_name);

// The one place where error codes become HTTP statuses.
int status_of(Errc code);
std::string_view reason_phrase(int status);

struct Url {
    bool tls = false;
    std::string host;
    std::string port;  // Always set: "80" or "443" by default.
    std::string path;  // At least "/", with the query.

    std::string host_header() const;  // host[:port], port left out when it is the default
};

// Absolute http and https URLs. Errors: InvalidArgument.
Result<Url> parse_url(std::string_view text);

}  // namespace stoker::net
