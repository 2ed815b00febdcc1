// Small checks that several sections of the configuration share.
#pragma once

#include <string>
#include <string_view>

#include "base/config.h"
#include "base/time.h"

namespace stoker::app {

inline constexpr std::string_view kMustBePositive = "must be above 0";

// A duration that must be above zero.
void positive(config::Fields& f, std::string_view key, Duration& value, std::string_view doc);
// A count that must be at least `least`.
void at_least(config::Fields& f, std::string_view key, std::int64_t& value, std::int64_t least, std::string_view doc);
// "process" or "fsync".
void durability(config::Fields& f, std::string& value);

// An http or https URL, if there is one.
void check_url(config::Fields& f, std::string_view key, const std::string& url);

bool is_ipv4_address(const std::string& text);
bool is_ipv6_address(const std::string& text);

// The keys `ca_file` and `proxy` of whoever is sent something: declared, documented and checked.
void describe_way_out(config::Fields& f, std::string& ca_file, std::string& proxy);

// Letters, digits and "_.-", at most 64: fit for labels, ids and file names.
bool is_plain_name(std::string_view text);

}  // namespace stoker::app
