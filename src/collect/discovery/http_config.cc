#include "collect/discovery/http_config.h"

#include <filesystem>

#include "base/config_more.h"
#include "net/http.h"

namespace stoker::collect {

void refuse(config::Fields& f, std::initializer_list<std::string_view> keys, std::string_view why) {
    for (const std::string_view key : keys) {
        if (config::given(f, key)) f.check(key, false, "is not supported: " + std::string(why));
    }
}

void describe(config::Fields& f, BasicAuthConfig& c) {
    f.field("username", c.username, "User.");
    config::masked(f, "password", c.password, "Password.");
    f.field("password_file", c.password_file, "File that has it; read for each request.");
    f.check("password_file", c.password.empty() || c.password_file.empty(),
            "'password' and 'password_file' are both given; keep one of them");
    refuse(f, {"username_file", "username_ref", "password_ref"}, "write 'username' and 'password' or 'password_file'");
}

void describe(config::Fields& f, AuthorizationConfig& c) {
    f.field("type", c.type, "Scheme that is sent.");
    config::masked(f, "credentials", c.credentials, "What follows it.");
    f.field("credentials_file", c.credentials_file, "File that has it; read for each request.");
    f.check("credentials_file", c.credentials.empty() || c.credentials_file.empty(),
            "'credentials' and 'credentials_file' are both given; keep one of them");
    refuse(f, {"credentials_ref"}, "write 'credentials' or 'credentials_file'");
}

void describe(config::Fields& f, TlsConfig& c) {
    f.field("ca_file", c.ca_file, "Certificates that servers are checked with; empty: the system's.");
    f.field("cert_file", c.cert_file, "Client certificate.");
    f.field("key_file", c.key_file, "Its key.");
    f.check("key_file", c.cert_file.empty() == c.key_file.empty(), "'cert_file' and 'key_file' go together");
    f.field("insecure_skip_verify", c.insecure_skip_verify, "Takes any certificate.");
    refuse(f, {"ca", "cert", "key", "ca_ref", "cert_ref", "key_ref"}, "put it into a file, and name that");
    refuse(f, {"server_name"}, "the certificate must be for the name or address that is connected to");
    refuse(f, {"min_version", "max_version"}, "TLS 1.2 and 1.3 are spoken");
}

void describe(config::Fields& f, OAuth2Config& c) {
    f.field("client_id", c.client_id, "Who asks for tokens.");
    f.required("client_id");
    config::masked(f, "client_secret", c.client_secret, "Its secret.");
    f.field("client_secret_file", c.client_secret_file, "File that has it; read for each request.");
    f.check("client_secret_file", c.client_secret.empty() || c.client_secret_file.empty(),
            "'client_secret' and 'client_secret_file' are both given; keep one of them");
    f.field("scopes", c.scopes, "What the token is to be good for.");
    f.field("token_url", c.token_url, "Where tokens come from.");
    f.required("token_url");
    const auto url = net::parse_url(c.token_url);
    f.check("token_url", c.token_url.empty() || url.has_value(), url ? "" : url.error().message);
    f.field("endpoint_params", c.endpoint_params, "Further parameters of the request for a token.");
    f.object("tls_config", c.tls_config, "TLS towards `token_url`.");
    describe_proxy(f, c.proxy);
    refuse(f, {"client_secret_ref"}, "write 'client_secret' or 'client_secret_file'");
    refuse(f,
           {"grant_type", "client_certificate_key", "client_certificate_key_file", "client_certificate_key_id",
            "signature_algorithm", "iss", "audience", "claims"},
           "only grants by client credentials are asked for");
}

void describe_http(config::Fields& f, HttpConfig& c) {
    f.object("basic_auth", c.basic_auth, "User and password that are sent.");
    f.object("authorization", c.authorization, "The Authorization header that is sent.");
    config::masked(f, "bearer_token", c.bearer_token, "The same as `authorization.credentials`.");
    f.field("bearer_token_file", c.bearer_token_file, "The same as `authorization.credentials_file`.");
    f.object("oauth2", c.oauth2, "Tokens that are fetched, kept until they end, and sent.");
    f.object("tls_config", c.tls_config, "TLS towards https.");
    f.field("follow_redirects", c.follow_redirects, "Whether redirects are followed.");
    const int ways = static_cast<int>(c.basic_auth.has_value()) + static_cast<int>(c.authorization.has_value()) +
                     static_cast<int>(!c.bearer_token.empty()) + static_cast<int>(!c.bearer_token_file.empty()) +
                     static_cast<int>(c.oauth2.has_value());
    const char* const shown = c.authorization ? "authorization"
                              : c.basic_auth  ? "basic_auth"
                              : c.oauth2      ? "oauth2"
                                              : "bearer_token_file";
    f.check(shown, ways <= 1,
            "at most one of basic_auth, authorization, oauth2, bearer_token and bearer_token_file may be given");
    describe_proxy(f, c.proxy);
    refuse(f, {"http_headers"}, "use authorization for credentials");
    static_cast<void>(config::given(f, "enable_http2"));  // HTTP/1.1 is what everybody answers.
}

std::string from_folder(const std::string& path, const std::string& folder) {
    if (path.empty() || folder.empty() || path.front() == '/') return path;
    return (std::filesystem::path(folder) / path).string();
}

void resolve_paths(HttpConfig& c, const std::string& folder) {
    const auto resolve = [&folder](std::string& path) { path = from_folder(path, folder); };
    if (c.basic_auth) resolve(c.basic_auth->password_file);
    if (c.authorization) resolve(c.authorization->credentials_file);
    resolve(c.bearer_token_file);
    const auto resolve_tls = [&resolve](std::optional<TlsConfig>& tls) {
        if (!tls) return;
        resolve(tls->ca_file);
        resolve(tls->cert_file);
        resolve(tls->key_file);
    };
    resolve_tls(c.tls_config);
    if (!c.oauth2) return;
    resolve(c.oauth2->client_secret_file);
    resolve_tls(c.oauth2->tls_config);
}

}  // namespace stoker::collect
