// Where the keys of an issuer of tokens are. Plain values.
#pragma once

#include <string>

#include "base/time.h"

namespace stoker::app {

struct IssuerSource {
    std::string issuer{};
    std::string url{};      // Empty, and no file: what ISSUER/.well-known/openid-configuration says.
    std::string file{};     // Goes before the URL.
    std::string ca_file{};  // Certificates to trust instead of the system's; empty: those.
    Duration refresh{600'000};
    Duration timeout{5'000};

    bool operator==(const IssuerSource&) const = default;
};

}  // namespace stoker::app
