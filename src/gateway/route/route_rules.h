// Whether a rule is for a request, and why not. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"
#include "gateway/auth/identity.h"
#include "gateway/route/routing_options.h"
#include "net/http.h"

namespace stoker::gateway {

// What a route may depend on. Views and references are valid during the call only.
struct RouteQuestion {
    std::string_view model;  // As the client named it.
    std::string_view path;
    const net::Headers& headers;
    const Identity& identity;
    std::int64_t prompt_tokens = 0;  // Estimated.
    std::string_view user{};         // Of the body; empty: not said.
    Timestamp now{};
};

// `*` stands for any characters, none too; everything else for itself.
bool matches_pattern(std::string_view pattern, std::string_view text);

// A condition of a rule.
enum class RuleField : std::uint8_t { None, Model, Path, Tenant, Header, Metadata, PromptTokens, Time };

// The first condition that does not hold; None: the rule is for this request.
RuleField mismatch(const RuleOptions& rule, const RouteQuestion& question);

bool holds(const TimeWindow& window, Timestamp now);

// For people: "tenant is 'acme', the rule wants globex"; of a rule that matches, the conditions that made it.
std::string explain_rule(const RuleOptions& rule, const RouteQuestion& question);

// What keeps this client on its side of a split; empty: nothing, it is drawn anew each time.
std::string_view sticky_key(StickyBy by, std::string_view header, const RouteQuestion& question);
std::string_view to_string(StickyBy by);

}  // namespace stoker::gateway
