#include "net/http.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "net/serialize.h"

namespace stoker::net {
namespace {

using internal::equal_without_case;

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::string decode_form(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+') {
            out += ' ';
        } else if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
                   hex_digit(text[i + 2]) >= 0) {
            out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

bool is_unreserved(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

// The path and query of a request target, whose absolute form names the host first (RFC 9112, 3.2.2).
std::string_view origin_form(std::string_view target) {
    if (target.empty() || target.front() == '/') return target;
    const auto scheme = target.find("://");
    if (scheme == std::string_view::npos) return target;
    const auto path = target.find_first_of("/?", scheme + 3);
    return path == std::string_view::npos ? std::string_view("/") : target.substr(path);
}

Error bad_url(std::string_view text, std::string_view why) {
    return {Errc::InvalidArgument, "URL \"" + std::string(text) + "\": " + std::string(why)};
}

bool is_port(std::string_view text) {
    if (text.empty() || text.size() > 5) return false;
    int value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return false;
        value = value * 10 + (c - '0');
    }
    return value >= 1 && value <= 65535;
}

// Splits "host", "host:port", "[::1]" and "[::1]:port". Returns why it cannot.
std::string_view split_authority(std::string_view authority, Url& url) {
    std::string_view rest;
    if (!authority.empty() && authority.front() == '[') {
        const auto close = authority.find(']');
        if (close == std::string_view::npos) return "'[' without ']'";
        url.host = authority.substr(1, close - 1);
        rest = authority.substr(close + 1);
        if (!rest.empty() && rest.front() != ':') return "what follows ']' is no port";
    } else {
        const auto colon = authority.find(':');
        url.host = authority.substr(0, colon);
        rest = colon == std::string_view::npos ? std::string_view{} : authority.substr(colon);
    }
    if (url.host.empty()) return "it names no host";
    if (rest.empty()) return {};
    if (!is_port(rest.substr(1))) return "the port is no number from 1 to 65535";
    url.port = rest.substr(1);
    return {};
}

}  // namespace

void Headers::set(std::string_view name, std::string value) {
    auto same = [name](const auto& field) { return equal_without_case(field.first, name); };
    const auto first = std::find_if(fields_.begin(), fields_.end(), same);
    if (first == fields_.end()) {
        add(std::string(name), std::move(value));
        return;
    }
    first->second = std::move(value);
    fields_.erase(std::remove_if(first + 1, fields_.end(), same), fields_.end());
}

void Headers::erase(std::string_view name) {
    std::erase_if(fields_, [name](const auto& field) { return equal_without_case(field.first, name); });
}

std::optional<std::string_view> Headers::get(std::string_view name) const {
    for (const auto& [field, value] : fields_) {
        if (equal_without_case(field, name)) return value;
    }
    return std::nullopt;
}

std::string_view RequestHead::path() const {
    const auto origin = origin_form(target);
    const auto path = origin.substr(0, origin.find_first_of("?#"));
    return path.empty() ? std::string_view("/") : path;
}

std::string_view RequestHead::query() const {
    const auto origin = origin_form(target);
    const auto mark = origin.find('?');
    if (mark == std::string_view::npos) return {};
    const auto query = origin.substr(mark + 1);
    return query.substr(0, query.find('#'));
}

std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query) {
    std::vector<std::pair<std::string, std::string>> pairs;
    while (!query.empty()) {
        const auto end = query.find('&');
        const auto pair = query.substr(0, end);
        query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
        if (pair.empty()) continue;
        const auto equals = pair.find('=');
        const auto value = equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
        pairs.emplace_back(decode_form(pair.substr(0, equals)), decode_form(value));
    }
    return pairs;
}

std::string url_encode(std::string_view text) {
    static constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        if (is_unreserved(c)) {
            out += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out += {'%', kHex[byte >> 4], kHex[byte & 15]};
        }
    }
    return out;
}

bool is_hop_by_hop(std::string_view header_name) {
    static constexpr std::array<std::string_view, 9> kNames = {
        "connection", "keep-alive",        "proxy-connection", "proxy-authenticate", "proxy-authorization", "te",
        "trailer",    "transfer-encoding", "upgrade"};
    // Asked for each field of each message: most are none of those by their length alone.
    static constexpr std::uint32_t kLengths = [] {
        std::uint32_t lengths = 0;
        for (const std::string_view name : kNames) lengths |= 1U << name.size();
        return lengths;
    }();
    if (header_name.size() >= 32 || ((kLengths >> header_name.size()) & 1) == 0) return false;
    return std::any_of(kNames.begin(), kNames.end(),
                       [header_name](std::string_view name) { return equal_without_case(name, header_name); });
}

int status_of(Errc code) {
    switch (code) {
        case Errc::NotFound:
            return 404;
        case Errc::InvalidArgument:
            return 400;
        case Errc::Conflict:
            return 409;
        case Errc::Unavailable:
            return 503;
        case Errc::DeadlineExceeded:
            return 504;
        case Errc::ResourceExhausted:
            return 429;
        case Errc::PermissionDenied:
            return 403;
        case Errc::Cancelled:
            return 499;
        case Errc::Corruption:
        case Errc::Internal:
            return 500;
    }
    return 500;
}

std::string_view reason_phrase(int status) {
    switch (status) {
        case 100:
            return "Continue";
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 202:
            return "Accepted";
        case 204:
            return "No Content";
        case 206:
            return "Partial Content";
        case 301:
            return "Moved Permanently";
        case 302:
            return "Found";
        case 303:
            return "See Other";
        case 304:
            return "Not Modified";
        case 307:
            return "Temporary Redirect";
        case 308:
            return "Permanent Redirect";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 402:
            return "Payment Required";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 406:
            return "Not Acceptable";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 410:
            return "Gone";
        case 411:
            return "Length Required";
        case 412:
            return "Precondition Failed";
        case 413:
            return "Content Too Large";
        case 414:
            return "URI Too Long";
        case 415:
            return "Unsupported Media Type";
        case 417:
            return "Expectation Failed";
        case 422:
            return "Unprocessable Content";
        case 425:
            return "Too Early";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 499:
            return "Client Closed Request";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        case 505:
            return "HTTP Version Not Supported";
        case 507:
            return "Insufficient Storage";
        case 529:
            return "Overloaded";
        default:
            return "Unknown";
    }
}

std::string Url::host_header() const {
    const bool literal_v6 = host.find(':') != std::string::npos;
    std::string text = literal_v6 ? "[" + host + "]" : host;
    if (port != (tls ? "443" : "80")) text += ":" + port;
    return text;
}

Result<Url> parse_url(std::string_view text) {
    const auto scheme_end = text.find("://");
    if (scheme_end == std::string_view::npos) return bad_url(text, "no http:// or https:// at its start");
    const auto scheme = text.substr(0, scheme_end);
    Url url;
    url.tls = equal_without_case(scheme, "https");
    if (!url.tls && !equal_without_case(scheme, "http")) return bad_url(text, "only http and https are understood");
    if (std::any_of(text.begin(), text.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; })) {
        return bad_url(text, "spaces and control characters must be escaped");
    }
    url.port = url.tls ? "443" : "80";

    auto rest = text.substr(scheme_end + 3);
    rest = rest.substr(0, rest.find('#'));
    const auto authority_end = rest.find_first_of("/?");
    const auto authority = rest.substr(0, authority_end);
    if (authority.find('@') != std::string_view::npos) {
        return bad_url(text, "a user name and password in it are not supported; send a header");
    }
    const auto why = split_authority(authority, url);
    if (!why.empty()) return bad_url(text, why);
    const auto path = authority_end == std::string_view::npos ? std::string_view{} : rest.substr(authority_end);
    url.path = path.empty() || path.front() == '?' ? "/" + std::string(path) : std::string(path);
    return url;
}

}  // namespace stoker::net
