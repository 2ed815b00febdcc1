#include "net/tls.h"

#include <openssl/ssl.h>

#include <boost/asio/ssl/context.hpp>
#include <string>

namespace stoker::net::internal {
namespace asio = boost::asio;

namespace {

using Context = asio::ssl::context;

Error bad_file(const std::string& file, const boost::system::error_code& ec) {
    return {Errc::InvalidArgument, "TLS: " + file + ": " + ec.message()};
}

// We speak only HTTP/1.1; a client that offers something else besides is told so, one that offers only that is refused.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* offered,
                    unsigned int offered_length, void*) {
    static constexpr unsigned char kHttp11[] = "\x08http/1.1";
    unsigned char* chosen = nullptr;
    const int found = SSL_select_next_proto(&chosen, out_length, kHttp11, sizeof kHttp11 - 1, offered, offered_length);
    *out = chosen;
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

void set_common_options(Context& context) {
    boost::system::error_code ignored;
    context.set_options(Context::default_workarounds | Context::no_sslv2 | Context::no_sslv3 | Context::no_tlsv1 |
                            Context::no_tlsv1_1 | Context::no_compression,
                        ignored);
    // A quiet connection keeps no 34 KiB of record buffers; writes may be resumed from a moved buffer.
    SSL_CTX_set_mode(context.native_handle(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

Result<Unit> use_certificate(Context& context, const std::string& certificate, const std::string& key) {
    boost::system::error_code ec;
    context.use_certificate_chain_file(certificate, ec);
    if (ec) return bad_file(certificate, ec);
    context.use_private_key_file(key, Context::pem, ec);
    if (ec) return bad_file(key, ec);
    return Unit{};
}

}  // namespace

Result<std::shared_ptr<Context>> server_context(const TlsServerOptions& options) {
    auto context = std::make_shared<Context>(Context::tls_server);
    set_common_options(*context);
    TRY_UNIT(use_certificate(*context, options.certificate_file, options.key_file));
    SSL_CTX_set_alpn_select_cb(context->native_handle(), choose_protocol, nullptr);
    return context;
}

Result<std::shared_ptr<Context>> client_context(const TlsClientOptions& options) {
    auto context = std::make_shared<Context>(Context::tls_client);
    set_common_options(*context);
    boost::system::error_code ec;
    if (options.ca_file.empty()) {
        context->set_default_verify_paths(ec);
        if (ec) return bad_file("the system's certificates", ec);
    } else {
        context->load_verify_file(options.ca_file, ec);
        if (ec) return bad_file(options.ca_file, ec);
    }
    if (!options.certificate_file.empty()) {
        TRY_UNIT(use_certificate(*context, options.certificate_file, options.key_file));
    }
    static constexpr unsigned char kHttp11[] = "\x08http/1.1";
    SSL_CTX_set_alpn_protos(context->native_handle(), kHttp11, sizeof kHttp11 - 1);
    return context;
}

}  // namespace stoker::net::internal
