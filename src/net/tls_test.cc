// TLS on both sides, with a certificate made here.
#include "net/tls.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <filesystem>
#include <fstream>

#include "net/async.h"
#include "net/loopback_test.h"

namespace stoker::net {
namespace {

namespace asio = boost::asio;
using test::eventually;
using test::RawSocket;
using test::TestServer;

// A self-signed certificate for "localhost" and its key, in a folder of their own.
class Certificate {
public:
    Certificate() {
        char name[] = "/tmp/stoker_tls_XXXXXX";
        folder_ = ::mkdtemp(name);
        EVP_PKEY* key = EVP_EC_gen("P-256");
        X509* certificate = X509_new();
        X509_set_version(certificate, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
        X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
        X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
        X509_set_pubkey(certificate, key);
        X509_NAME* subject = X509_get_subject_name(certificate);
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1,
                                   -1, 0);
        X509_set_issuer_name(certificate, subject);
        X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost");
        X509_add_ext(certificate, names, -1);
        X509_sign(certificate, key, EVP_sha256());
        if (FILE* file = std::fopen(certificate_file().c_str(), "w")) {
            PEM_write_X509(file, certificate);
            std::fclose(file);
        }
        if (FILE* file = std::fopen(key_file().c_str(), "w")) {
            PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
            std::fclose(file);
        }
        X509_EXTENSION_free(names);
        X509_free(certificate);
        EVP_PKEY_free(key);
    }
    ~Certificate() { std::filesystem::remove_all(folder_); }

    std::string certificate_file() const { return folder_ + "/certificate.pem"; }
    std::string key_file() const { return folder_ + "/key.pem"; }

private:
    std::string folder_;
};

asio::awaitable<void> echo_streamed(Exchange& exchange) {
    auto body = co_await exchange.read_body(64 << 20);
    (void)co_await exchange.start(ResponseHead{});
    const std::string text = body ? *body : body.error().message;
    for (std::size_t at = 0; at < text.size(); at += 10'000) {
        const auto written = co_await exchange.write(std::string_view(text).substr(at, 10'000));
        if (!written) co_return;
    }
    (void)co_await exchange.finish();
}

class TlsTest : public testing::Test {
protected:
    TlsTest() : loops_(1), server_(echo_streamed, server_options()) {
        loops_.start();
        trust(certificate_.certificate_file());
    }
    ~TlsTest() override {
        loops_.stop();
        client_.reset();
    }

    ServerOptions server_options() const {
        ServerOptions options;
        options.tls = TlsServerOptions{certificate_.certificate_file(), certificate_.key_file()};
        options.header_timeout = Duration{200};
        return options;
    }

    void trust(std::string ca_file, bool verify = true) {
        ClientOptions options;
        options.tls.ca_file = std::move(ca_file);
        options.tls.verify = verify;
        client_ = Client::create(loops_.at(0), std::move(options));
    }

    Result<Response> post(std::string body, std::string host = "localhost") {
        Url url = server_.url();
        url.tls = true;
        url.host = std::move(host);
        return test::run(loops_.at(0), fetch(*client_, url, "POST", {}, std::move(body), Deadlines{}, 64 << 20));
    }

    Certificate certificate_;
    Loops loops_;
    TestServer server_;
    std::unique_ptr<Client> client_;
};

TEST_F(TlsTest, ExchangesOverOneConnection) {
    for (const std::size_t size : {0u, 10u, 100'000u, 3'000'000u}) {
        const std::string body(size, 'x');
        const auto response = post(body);
        ASSERT_TRUE(response) << response.error().message;
        EXPECT_EQ(response->body, body);
    }
    EXPECT_EQ(server_.metric("stoker_http_connections", "test"), 1);
}

TEST_F(TlsTest, RefusesWhoCannotProveTheName) {
    const auto wrong_name = post("", "127.0.0.1");
    ASSERT_FALSE(wrong_name);
    EXPECT_EQ(fault_of(wrong_name.error()), Fault::Tls) << wrong_name.error().message;
    trust("");
    const auto untrusted = post("");
    ASSERT_FALSE(untrusted);
    EXPECT_EQ(fault_of(untrusted.error()), Fault::Tls) << untrusted.error().message;
    trust("", false);
    EXPECT_TRUE(post("", "127.0.0.1"));
}

TEST_F(TlsTest, PlainAndTlsDoNotMix) {
    RawSocket plain(server_.address());
    plain.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(plain.receive_all().find("HTTP/"), std::string::npos);
    // A client that never begins its handshake is cut.
    RawSocket silent(server_.address());
    EXPECT_EQ(silent.receive_all(), "");

    TestServer unencrypted(echo_streamed);
    Url url = unencrypted.url();
    url.tls = true;
    const auto response = test::run(loops_.at(0), fetch(*client_, url, "GET", {}, "", Deadlines{}, 1000));
    ASSERT_FALSE(response);
    EXPECT_EQ(fault_of(response.error()), Fault::Tls) << response.error().message;
}

TEST_F(TlsTest, BadFilesAreNamed) {
    metrics::Registry registry;
    const auto open = [&](std::string certificate, std::string key) {
        ServerOptions options;
        options.name = "bad";
        options.listen = "127.0.0.1:0";
        options.tls = TlsServerOptions{std::move(certificate), std::move(key)};
        return Server::open(loops_, std::move(options), echo_streamed, registry);
    };
    const auto missing = open("/no/such/file.pem", certificate_.key_file());
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, Errc::InvalidArgument);
    EXPECT_NE(missing.error().message.find("/no/such/file.pem"), std::string::npos);
    const auto swapped = open(certificate_.certificate_file(), certificate_.certificate_file());
    ASSERT_FALSE(swapped);
    EXPECT_NE(swapped.error().message.find("certificate.pem"), std::string::npos);
    trust("/no/such/ca.pem");
    const auto response = post("");
    ASSERT_FALSE(response);
    EXPECT_NE(response.error().message.find("/no/such/ca.pem"), std::string::npos);
}

// The protocol that ALPN settles on for what the client offers (length-prefixed), or why the handshake failed.
std::string negotiated(const std::string& address, std::string_view offered) {
    asio::io_context loop;
    asio::ssl::context context(asio::ssl::context::tls_client);
    asio::ssl::stream<asio::ip::tcp::socket> stream(loop, context);
    SSL_set_alpn_protos(stream.native_handle(), reinterpret_cast<const unsigned char*>(offered.data()),
                        static_cast<unsigned>(offered.size()));
    const auto port = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
    stream.next_layer().connect({asio::ip::address_v4::loopback(), port});
    boost::system::error_code ec;
    stream.handshake(asio::ssl::stream_base::client, ec);
    if (ec) return "refused";
    const unsigned char* chosen = nullptr;
    unsigned length = 0;
    SSL_get0_alpn_selected(stream.native_handle(), &chosen, &length);
    return {reinterpret_cast<const char*>(chosen), length};
}

TEST_F(TlsTest, NegotiatesHttp11) {
    EXPECT_EQ(negotiated(server_.address(), "\x02h2\x08http/1.1"), "http/1.1");
    EXPECT_EQ(negotiated(server_.address(), "\x02h2"), "refused");
    EXPECT_EQ(negotiated(server_.address(), ""), "");
}

}  // namespace
}  // namespace stoker::net
