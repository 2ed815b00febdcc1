// DNS messages (RFC 1035; SRV is RFC 2782, AAAA RFC 3596): a question as bytes, and an answer read from bytes.
//
// Answers come from outside: names may point at each other, lengths may lie. Pure, thread-safe, without Asio.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace stoker::collect {

enum class DnsType : std::uint16_t { A = 1, Ns = 2, Mx = 15, Aaaa = 28, Srv = 33 };

// Of the record's data only what its type has.
struct DnsRecord {
    DnsType type = DnsType::A;
    std::string address;  // A, AAAA: as text.
    std::string target;   // NS, MX, SRV: a name without the dot at its end.
    std::uint16_t port = 0;
};

struct DnsAnswer {
    std::vector<DnsRecord> records;  // Of the type asked for.
    bool truncated = false;          // To be asked again over TCP.
    bool no_such_name = false;       // NXDOMAIN; there are no records.
};

// Errors: InvalidArgument (a name that is too long, or has an empty label).
Result<std::string> dns_question(std::uint16_t id, const std::string& name, DnsType type);

// Errors: Corruption (not an answer to this question), Unavailable (the server refused or failed, with its code).
Result<DnsAnswer> parse_dns_answer(std::string_view message, std::uint16_t id, DnsType type);

// What /etc/resolv.conf says (resolv.conf(5)).
struct ResolvConf {
    std::vector<std::string> servers;  // 127.0.0.1 if there are none.
    std::vector<std::string> search;
    int ndots = 1;

    // The names to ask for, in order.
    std::vector<std::string> names(const std::string& name) const;
};
ResolvConf parse_resolv_conf(std::string_view text);

}  // namespace stoker::collect
