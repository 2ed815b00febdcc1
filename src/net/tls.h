// TLS contexts from the files an operator names.
#pragma once

#include <memory>

#include "base/result.h"
#include "net/client.h"
#include "net/server.h"

namespace boost::asio::ssl {
class context;
}

namespace stoker::net::internal {

// Errors: InvalidArgument, naming the file.
Result<std::shared_ptr<boost::asio::ssl::context>> server_context(const TlsServerOptions& options);
Result<std::shared_ptr<boost::asio::ssl::context>> client_context(const TlsClientOptions& options);

}  // namespace stoker::net::internal
