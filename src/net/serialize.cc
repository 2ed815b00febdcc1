#include "net/serialize.h"

#include <array>
#include <charconv>
#include <ctime>

#include "base/byte_scan.h"

namespace stoker::net::internal {
namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool is_line_breaking(char c) {
    return c == '\r' || c == '\n' || c == '\0';
}

void append_number(std::string& out, std::uint64_t value) {
    std::array<char, 20> digits;
    out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr);
}

// A value with line breaks would be a second field, or a second message.
void append_defused(std::string& out, std::string_view text) {
    const auto start = out.size();
    out += text;
    if (!has_control(text)) return;
    for (auto i = start; i < out.size(); ++i) {
        if (is_line_breaking(out[i])) out[i] = ' ';
    }
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
    append_defused(out, name);
    out += ": ";
    append_defused(out, value);
    out += "\r\n";
}

bool frames_message(std::string_view name) {
    return is_hop_by_hop(name);
}

}  // namespace

bool equal_without_case(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (lower(a[i]) != lower(b[i])) return false;
    }
    return true;
}

void append_response_head(std::string& out, const ResponseHead& head, Framing framing,
                          std::optional<std::uint64_t> length, std::string_view connection) {
    out += "HTTP/1.1 ";
    append_number(out, static_cast<std::uint64_t>(head.status));
    out += ' ';
    out += reason_phrase(head.status);
    out += "\r\n";
    bool dated = false;
    for (const auto& [name, value] : head.headers) {
        if (frames_message(name)) continue;
        const bool is_length = equal_without_case(name, "content-length");
        if (is_length && (length || framing != Framing::None || head.status == 204)) continue;
        dated = dated || equal_without_case(name, "date");
        append_field(out, name, value);
    }
    if (!dated) append_field(out, "Date", http_date());
    if (length) {
        out += "Content-Length: ";
        append_number(out, *length);
        out += "\r\n";
    }
    if (framing == Framing::Chunked) out += "Transfer-Encoding: chunked\r\n";
    if (!connection.empty()) append_field(out, "Connection", connection);
    out += "\r\n";
}

void append_request_head(std::string& out, std::string_view method, std::string_view target, std::string_view host,
                         const Headers& headers, std::optional<std::uint64_t> length,
                         std::string_view proxy_authorization) {
    append_defused(out, method);
    out += ' ';
    append_defused(out, target.empty() ? "/" : target);
    out += " HTTP/1.1\r\n";
    if (!headers.get("host")) append_field(out, "Host", host);
    if (!proxy_authorization.empty()) append_field(out, "Proxy-Authorization", proxy_authorization);
    for (const auto& [name, value] : headers) {
        if (frames_message(name) || equal_without_case(name, "content-length") || equal_without_case(name, "expect")) {
            continue;
        }
        append_field(out, name, value);
    }
    if (length) {
        out += "Content-Length: ";
        append_number(out, *length);
        out += "\r\n";
    }
    out += "\r\n";
}

std::string_view chunk_header(char* space, std::size_t size) {
    char* const end = std::to_chars(space, space + 16, size, 16).ptr;
    end[0] = '\r';
    end[1] = '\n';
    return {space, static_cast<std::size_t>(end + 2 - space)};
}

std::string_view http_date() {
    thread_local std::time_t made = 0;
    thread_local std::array<char, 32> text{};
    thread_local std::size_t length = 0;
    const std::time_t now = std::time(nullptr);
    if (now != made) {
        std::tm utc{};
        gmtime_r(&now, &utc);
        length = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
        made = now;
    }
    return {text.data(), length};
}

}  // namespace stoker::net::internal
