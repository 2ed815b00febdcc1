// The page's files, embedded in the binary.
#pragma once

#include <optional>
#include <string>

#include "net/http.h"

namespace stoker::api {

// The file for a path, or the page itself for any path without an extension (the page routes itself); empty for other
// unknown paths. Compressed if the client takes gzip; hashed assets may be cached for ever.
std::optional<net::Response> page_response(const std::string& path, const net::Headers& headers);

}  // namespace stoker::api
