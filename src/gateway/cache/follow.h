// A request that gets the answer of an identical one under way.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>

#include "gateway/cache/flight.h"
#include "gateway/request_context.h"

namespace stoker::gateway {

enum class Followed : unsigned char {
    Settled,  // Well or not.
    GoOn      // The flight failed, and the client has seen nothing of it.
};

// Gives the client what the leader's gets, as it comes, until its own deadline. A leader's failure is passed on if
// everybody would fail so, or if `last_round`. REQUIRES: the flight was joined; it is left here.
boost::asio::awaitable<Followed> follow(RequestContext& context, std::shared_ptr<Flight> flight, bool last_round);

}  // namespace stoker::gateway
