// Whose tokens (JWT) are taken instead of keys, and what their claims mean here. Plain values.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/time.h"

namespace stoker::gateway {

// Claims are named by paths into objects: "realm_access.roles". An empty one is not looked at.
struct TokenIssuerOptions {
    std::string issuer{};                  // Exactly as tokens say it in `iss`.
    std::vector<std::string> audiences{};  // One of these must be in `aud`.
    Duration leeway{60'000};               // How far clocks may differ.
    std::string tenant_claim{};
    std::map<std::string, std::string> tenants{};  // From the claim's value to the tenant; empty: they are the same.
    std::string tenant{};                          // Of tokens without the claim; empty: those are refused.
    std::string models_claim{};                    // A list, or one text with blanks between; without it: no model.
    std::string priority_claim{};
    std::map<std::string, std::string> metadata_claims{};  // From the name here to the claim.
};

}  // namespace stoker::gateway
