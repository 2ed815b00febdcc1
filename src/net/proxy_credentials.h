// What a proxy is told of who asks it.
#pragma once

#include <string>

#include "net/proxy.h"

namespace stoker::net::internal {

// The value of Proxy-Authorization; empty if the proxy asks for none.
std::string proxy_authorization(const ProxyOptions& proxy);

}  // namespace stoker::net::internal
