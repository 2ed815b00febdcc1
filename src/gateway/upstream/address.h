// Where a request goes at a replica, and with which headers: an engine of ours, or a provider. Pure.
#pragma once

#include <string>

#include "gateway/headers.h"
#include "gateway/route/routes.h"
#include "net/client.h"
#include "wire/dialect.h"

namespace stoker::gateway {

struct Sender {
    const net::RequestHead& head;  // The client's.
    wire::Dialect dialect{};
    const std::string& id;
    std::string traceparent;
    ClientCredentials credentials = ClientCredentials::Withhold;
};

// Sets the target and the headers. REQUIRES: `target` is of `pool`.
void address(net::ClientRequest& request, const Pool& pool, const Target& target, Sender sender);

}  // namespace stoker::gateway
