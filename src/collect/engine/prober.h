// Asks an address the questions that identify() wants answered.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>

#include "collect/engine/identify.h"
#include "collect/scrape/http_get.h"
#include "net/client.h"

namespace stoker::collect {

// Who is there: first by what most engines show, then by what only one kind would answer. Nothing if nobody answered
// the first question. Each question has `limit`, so a hung server costs one of them.
boost::asio::awaitable<std::optional<EngineIdentity>> probe(net::Client& client, net::Url url, std::string bearer,
                                                            Duration limit, std::shared_ptr<const Adapters> adapters,
                                                            Abandon& abandon);

}  // namespace stoker::collect
