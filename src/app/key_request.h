// What people may say of a key when they make or change one: JSON bodies, read and checked.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "gateway/auth/auth_options.h"

namespace stoker::app {

// What is not there stays as it is.
struct KeyChanges {
    std::optional<std::string> tenant{};
    std::optional<std::vector<std::string>> models{};
    std::optional<std::optional<gateway::Priority>> priority{};    // Nothing within: the tenant's.
    std::optional<std::optional<Timestamp>> expires{};             // Nothing within: never.
    std::map<std::string, std::optional<std::string>> metadata{};  // Nothing: the member goes.

    void apply_to(gateway::KeyOptions& key) const;
};

struct KeyRequest {
    std::string id{};                        // Empty: a random one.
    std::optional<crypto::Digest> sha256{};  // Of a key that clients have already; none: one is made up.
    KeyChanges settings{};
};

// {"tenant","id","models","priority","metadata","expires","sha256"}; all but the tenant optional. `expires` is a time
// or, from `now` on, a duration. Errors: InvalidArgument, naming the member; unknown members are errors as well.
Result<KeyRequest> parse_key_request(std::string_view body, Timestamp now);
// The same without id and sha256; null takes `priority`, `expires` or a member of `metadata` away.
Result<KeyChanges> parse_key_changes(std::string_view body, Timestamp now);
// {"overlap":"24h"}: how long the key before is still good. An empty body is as {}.
Result<Duration> parse_key_rotation(std::string_view body);

}  // namespace stoker::app
