// One copy of a request on its way to a shadow's model, and what became of it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>

#include "gateway/core.h"
#include "gateway/endpoint.h"
#include "gateway/limit/limiter.h"
#include "gateway/route/routes.h"
#include "gateway/shadow/shadows.h"
#include "records/request_record.h"
#include "wire/openai.h"

namespace stoker::gateway {

// All that the copy needs: nothing of the request itself, which may end before it.
struct ShadowCopy {
    std::shared_ptr<Core> core;
    std::shared_ptr<Shadows::Alive> alive;
    std::shared_ptr<const RouteTable> table;  // Keeps the route alive.
    const ModelRoute* route = nullptr;
    std::shared_ptr<ShadowLink> link;
    LimitReservation reservation;
    Duration timeout{0};
    std::string body;  // The client's.
    wire::RequestScan scan;
    Endpoint endpoint;
    net::RequestHead head;
    std::string session;
    std::string traceparent;
    bool asks_usage = false;
    records::RequestRecord record;  // As far as it is known before the copy is sent.
};

// Sends it, reads the answer, and accounts for it. On the request's loop.
boost::asio::awaitable<void> run_shadow(std::shared_ptr<ShadowCopy> copy);

}  // namespace stoker::gateway
