#include "api/page.h"

#include "api/page_files.h"

namespace stoker::api {
namespace {

const PageFile* find(std::string_view path) {
    for (const auto& file : page_files()) {
        if (file.path == path) return &file;
    }
    return nullptr;
}

bool takes_gzip(const net::Headers& headers) {
    return headers.get("Accept-Encoding").value_or("").find("gzip") != std::string_view::npos;
}

}  // namespace

std::optional<net::Response> page_response(const std::string& path, const net::Headers& headers) {
    const PageFile* file = find(path);
    bool route = path.substr(path.rfind('/') + 1).find('.') == std::string::npos && !path.starts_with("/api/");
    if (!file && route) file = find("/index.html");
    if (!file) return std::nullopt;
    net::Response response;
    response.headers = {
        {"Content-Type", std::string(file->type)},
        {"Vary", "Accept-Encoding"},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {"Content-Security-Policy", "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"},
        {"Cache-Control", path.starts_with("/assets/") ? "public, max-age=31536000, immutable" : "no-cache"}};
    if (takes_gzip(headers)) {
        response.headers.add("Content-Encoding", "gzip");
        response.body = file->gzip;
    } else {
        response.body = file->plain;
    }
    return response;
}

}  // namespace stoker::api
