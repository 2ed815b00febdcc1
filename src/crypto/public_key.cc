#include "crypto/public_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <array>
#include <string>

namespace stoker::crypto {
namespace {

constexpr std::array<std::string_view, 3> kNames = {"RS256", "ES256", "EdDSA"};
constexpr std::size_t kP256Bytes = 32;
constexpr std::size_t kEd25519Bytes = 32;
constexpr int kLeastRsaBits = 2048;
constexpr int kMostRsaBits = 8192;  // A check of a longer one takes milliseconds.

template <auto Free>
struct Freed {
    template <typename T>
    void operator()(T* object) const {
        Free(object);
    }
};
using Number = std::unique_ptr<BIGNUM, Freed<&BN_free>>;
using ParameterBuilder = std::unique_ptr<OSSL_PARAM_BLD, Freed<&OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Freed<&OSSL_PARAM_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<&EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freed<&EVP_MD_CTX_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, Freed<&ECDSA_SIG_free>>;

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

Number number_of(std::string_view big_endian) {
    return Number(BN_bin2bn(bytes_of(big_endian), static_cast<int>(big_endian.size()), nullptr));
}

// Null if the parameters make no key.
EVP_PKEY* make_key(const char* type, OSSL_PARAM_BLD* builder) {
    const Parameters parameters(OSSL_PARAM_BLD_to_param(builder));
    const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* key = nullptr;
    if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1) return nullptr;
    if (EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) return nullptr;
    return key;
}

bool is_sound(EVP_PKEY* key) {
    const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
    return context && EVP_PKEY_public_check(context.get()) == 1;
}

// OpenSSL wants r and s in DER. Empty if they are no numbers of the curve's size.
std::string der_of(std::string_view signature) {
    if (signature.size() != 2 * kP256Bytes) return {};
    const EcdsaSignature numbers(ECDSA_SIG_new());
    Number r = number_of(signature.substr(0, kP256Bytes));
    Number s = number_of(signature.substr(kP256Bytes));
    if (!numbers || !r || !s || ECDSA_SIG_set0(numbers.get(), r.get(), s.get()) != 1) return {};
    static_cast<void>(r.release());  // The signature has them now.
    static_cast<void>(s.release());
    unsigned char* der = nullptr;
    const int length = i2d_ECDSA_SIG(numbers.get(), &der);
    if (length <= 0) return {};
    std::string text(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length));
    OPENSSL_free(der);
    return text;
}

Error no_key(std::string_view what) {
    return {Errc::InvalidArgument, std::string(what)};
}

}  // namespace

std::string_view to_string(SignatureAlgorithm algorithm) {
    return kNames[static_cast<std::size_t>(algorithm)];
}

std::optional<SignatureAlgorithm> parse_signature_algorithm(std::string_view name) {
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        if (kNames[i] == name) return static_cast<SignatureAlgorithm>(i);
    }
    return std::nullopt;
}

PublicKey::PublicKey(SignatureAlgorithm algorithm, EVP_PKEY* key)
    : algorithm_(algorithm), key_(key, [](EVP_PKEY* held) { EVP_PKEY_free(held); }) {}

Result<PublicKey> PublicKey::rsa(std::string_view modulus, std::string_view exponent) {
    if (modulus.size() * 8 > kMostRsaBits + 64 || exponent.size() > 8) return no_key("an RSA key that is too long");
    const Number n = number_of(modulus);
    const Number e = number_of(exponent);
    const ParameterBuilder builder(OSSL_PARAM_BLD_new());
    if (!n || !e || !builder || BN_num_bits(n.get()) < kLeastRsaBits || BN_num_bits(n.get()) > kMostRsaBits ||
        BN_is_odd(e.get()) != 1 || BN_is_one(e.get()) == 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
        return no_key("not an RSA key of 2048 to 8192 bits");
    }
    EVP_PKEY* key = make_key("RSA", builder.get());
    if (key == nullptr) return no_key("not an RSA key");
    return PublicKey(SignatureAlgorithm::Rs256, key);
}

Result<PublicKey> PublicKey::p256(std::string_view x, std::string_view y) {
    if (x.size() != kP256Bytes || y.size() != kP256Bytes) return no_key("not a point of P-256");
    std::string point = "\x04";  // Uncompressed.
    point += x;
    point += y;
    const ParameterBuilder builder(OSSL_PARAM_BLD_new());
    if (!builder || OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1) {
        return no_key("not a point of P-256");
    }
    EVP_PKEY* key = make_key("EC", builder.get());
    if (key == nullptr) return no_key("not a point of P-256");
    PublicKey made(SignatureAlgorithm::Es256, key);
    if (!is_sound(key)) return no_key("not a point of P-256");
    return made;
}

Result<PublicKey> PublicKey::ed25519(std::string_view key) {
    if (key.size() != kEd25519Bytes) return no_key("not an Ed25519 key");
    EVP_PKEY* made = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(key), key.size());
    if (made == nullptr) return no_key("not an Ed25519 key");
    return PublicKey(SignatureAlgorithm::EdDsa, made);
}

bool PublicKey::verify(std::string_view data, std::string_view signature) const {
    std::string der;
    if (algorithm_ == SignatureAlgorithm::Es256) {
        der = der_of(signature);
        if (der.empty()) return false;
        signature = der;
    }
    const EVP_MD* digest = algorithm_ == SignatureAlgorithm::EdDsa ? nullptr : EVP_sha256();
    const DigestContext context(EVP_MD_CTX_new());
    return context && EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key_.get()) == 1 &&
           EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(data), data.size()) == 1;
}

}  // namespace stoker::crypto
