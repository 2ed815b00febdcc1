// Asks the name servers of /etc/resolv.conf: by UDP, and by TCP where the answer does not fit.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "collect/discovery/dns_message.h"

namespace stoker::collect {

// Port 53 unless a server says HOST#PORT, as dnsmasq writes it: tests and local resolvers.
struct DnsServers {
    ResolvConf conf;
    Duration each{2'000};  // For one server's answer.
};

// The records of the first name that has any; none if no name is there. Errors: Unavailable (no server answers, or all
// refuse), Corruption.
boost::asio::awaitable<Result<DnsAnswer>> dns_lookup(boost::asio::io_context& loop, DnsServers servers,
                                                     std::string name, DnsType type);

}  // namespace stoker::collect
