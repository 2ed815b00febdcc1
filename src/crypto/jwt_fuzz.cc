// Any bytes as a token, as a set of keys, and as base64url: no crash, nothing is signed, and texts are unique.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "crypto/base64url.h"
#include "crypto/jwt.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stoker::crypto;
    static const KeySet kKeys =
        *KeySet::parse(R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})");
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto bytes = base64url_decode(text);
    if (bytes && base64url_encode(*bytes) != text) std::abort();
    if (base64url_decode(base64url_encode(text)) != text) std::abort();
    if (const auto keys = KeySet::parse(text); keys && keys->size() == 0) std::abort();

    // The fuzzer need not find base64url by itself: a blank stands between header and claims.
    const std::size_t blank = std::min(text.find(' '), text.size());
    const std::string made = base64url_encode(text.substr(0, blank)) + "." +
                             base64url_encode(text.substr(std::min(blank + 1, text.size()))) + "." +
                             base64url_encode(std::string(64, 's'));
    for (const std::string& token : {std::string(text), made}) {
        const auto jwt = Jwt::parse(token);
        if (!jwt) continue;
        if (jwt->is_signed_by(kKeys)) std::abort();
        for (const char* path : {"iss", "aud", "exp", "a.b.c", ""}) {
            (void)jwt->text(path);
            (void)jwt->texts(path, true);
            (void)jwt->seconds(path);
        }
    }
    return 0;
}
