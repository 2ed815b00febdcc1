// The public keys that an issuer of tokens publishes (RFC 7517). Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/public_key.h"

namespace stoker::crypto {

class KeySet {
public:
    static constexpr std::size_t kMostBytes = 256 * 1024;
    static constexpr std::size_t kMostKeys = 100;

    // {"keys":[...]}. Keys that are not for signatures, or of kinds that are not known here, are left out.
    // Errors: InvalidArgument (not such a document, or not one usable key in it).
    static Result<KeySet> parse(std::string_view json);

    // Whether a holder of one of the keys signed it. A token that names its key is checked with that one only.
    bool verify(SignatureAlgorithm algorithm, std::string_view key_id, std::string_view data,
                std::string_view signature) const;

    // Whether there is a key that such a token could be signed with.
    bool knows(SignatureAlgorithm algorithm, std::string_view key_id) const;
    std::size_t size() const { return keys_.size(); }

private:
    struct Entry {
        std::string id;  // Empty: it has none.
        PublicKey key;

        bool fits(SignatureAlgorithm algorithm, std::string_view key_id) const {
            return key.algorithm() == algorithm && (key_id.empty() || id == key_id);
        }
    };

    std::vector<Entry> keys_;
};

}  // namespace stoker::crypto
