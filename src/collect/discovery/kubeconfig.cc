#include "collect/discovery/kubeconfig.h"

#include <sys/mman.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include "base/file.h"
#include "base/text.h"

namespace stoker::collect {
namespace {

Error bad(const std::string& why) {
    return {Errc::InvalidArgument, "kubeconfig: " + why};
}

std::string scalar(const YAML::Node& map, const char* key) {
    if (!map.IsMap()) return {};
    const YAML::Node value = map[key];
    return value.IsDefined() && value.IsScalar() ? value.Scalar() : std::string{};
}

// The entry of that name in a list of {name: ..., <what>: {...}}.
Result<YAML::Node> entry(const YAML::Node& root, const char* list, const char* what, const std::string& name) {
    const YAML::Node all = root[list];
    if (all.IsDefined() && all.IsSequence()) {
        for (const YAML::Node& one : all) {
            if (scalar(one, "name") != name) continue;
            const YAML::Node found = one[what];
            if (found.IsDefined() && found.IsMap()) return found;
        }
    }
    return bad(std::string("no '") + what + "' of the name '" + name + "' in '" + list + "'");
}

int digit(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+') return 62;
    return c == '/' ? 63 : -1;
}

Result<std::string> decode_base64(std::string_view text) {
    std::string out;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        if (c == '=' || c == '\n' || c == '\r' || c == ' ') continue;
        const int value = digit(c);
        if (value < 0) return bad("a '-data' value is not base64");
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        count += 6;
        if (count < 8) continue;
        count -= 8;
        out += static_cast<char>(bits >> count & 0xFF);
    }
    return out;
}

// The path of KEY, or of a file in memory with what KEY-data holds.
Result<std::string> file_of(const YAML::Node& map, const std::string& key, const std::string& folder,
                            KubernetesAccess& access) {
    const std::string data = scalar(map, (key + "-data").c_str());
    if (data.empty()) return from_folder(scalar(map, key.c_str()), folder);
    TRY(const auto content, decode_base64(data));
    TRY(auto file, MemoryFile::create(content));
    access.files.push_back(file);
    return file->path();
}

Result<Unit> read_user(const YAML::Node& user, const std::string& folder, KubernetesAccess& access) {
    for (const char* key : {"exec", "auth-provider"}) {
        if (user[key].IsDefined()) {
            return bad(std::string("the user's credentials come from '") + key +
                       "', which is not supported: use a service account's token");
        }
    }
    TRY(access.http.tls_config->cert_file, file_of(user, "client-certificate", folder, access));
    TRY(access.http.tls_config->key_file, file_of(user, "client-key", folder, access));
    const std::string token_file = scalar(user, "tokenFile");
    const std::string token = scalar(user, "token");
    if (!token_file.empty() || !token.empty()) {
        AuthorizationConfig& sent = access.http.authorization.emplace();
        sent.credentials_file = from_folder(token_file, folder);
        if (token_file.empty()) sent.credentials = token;
    } else if (const std::string name = scalar(user, "username"); !name.empty()) {
        access.http.basic_auth = {name, scalar(user, "password"), ""};
    }
    return Unit{};
}

Result<KubernetesAccess> read_root(const YAML::Node& root, const std::string& folder) {
    if (!root.IsMap()) return bad("expected keys such as 'clusters' and 'contexts'");
    const std::string current = scalar(root, "current-context");
    if (current.empty()) return bad("'current-context' is missing");
    TRY(const auto context, entry(root, "contexts", "context", current));
    TRY(const auto cluster, entry(root, "clusters", "cluster", scalar(context, "cluster")));
    KubernetesAccess access;
    access.server = scalar(cluster, "server");
    if (access.server.empty()) return bad("the cluster has no 'server'");
    access.own_namespace = scalar(context, "namespace");
    if (access.own_namespace.empty()) access.own_namespace = "default";
    TlsConfig& tls = access.http.tls_config.emplace();
    TRY(tls.ca_file, file_of(cluster, "certificate-authority", folder, access));
    tls.insecure_skip_verify = scalar(cluster, "insecure-skip-tls-verify") == "true";
    if (!scalar(cluster, "tls-server-name").empty()) {
        return bad("'tls-server-name' is not supported: the certificate must be for the server's address");
    }
    if (!scalar(cluster, "proxy-url").empty()) return bad("'proxy-url' is not supported");
    const std::string user_name = scalar(context, "user");
    if (user_name.empty()) return access;
    TRY(const auto user, entry(root, "users", "user", user_name));
    TRY_UNIT(read_user(user, folder, access));
    return access;
}

}  // namespace

Result<std::shared_ptr<MemoryFile>> MemoryFile::create(std::string_view content) {
    const int descriptor = memfd_create("stoker-certificate", MFD_CLOEXEC);
    if (descriptor < 0) return Error{Errc::Internal, "no memory for a certificate"};
    std::shared_ptr<MemoryFile> file(new MemoryFile(descriptor));
    while (!content.empty()) {
        const auto written = ::write(descriptor, content.data(), content.size());
        if (written <= 0) return Error{Errc::Internal, "no memory for a certificate"};
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    return file;
}

MemoryFile::~MemoryFile() {
    ::close(descriptor_);
}

std::string MemoryFile::path() const {
    return "/proc/self/fd/" + std::to_string(descriptor_);
}

Result<KubernetesAccess> parse_kubeconfig(std::string_view text, const std::string& folder) {
    try {
        return read_root(YAML::Load(std::string(text)), folder);
    } catch (const YAML::Exception& error) {
        return bad("line " + std::to_string(error.mark.line + 1) + ": " + error.msg);
    }
}

Result<KubernetesAccess> in_cluster(const config::Environment& environment, const std::string& folder) {
    const auto host = environment("KUBERNETES_SERVICE_HOST");
    const auto port = environment("KUBERNETES_SERVICE_PORT");
    if (!host || !port) {
        return Error{Errc::NotFound,
                     "not in a Kubernetes pod (KUBERNETES_SERVICE_HOST is not set): give 'kubeconfig_file' or "
                     "'api_server'"};
    }
    KubernetesAccess access;
    const bool ipv6 = host->find(':') != std::string::npos;
    access.server = "https://" + (ipv6 ? "[" + *host + "]" : *host) + ":" + *port;
    access.http.authorization.emplace().credentials_file = folder + "/token";
    access.http.tls_config.emplace().ca_file = folder + "/ca.crt";
    const auto space = read_file(folder + "/namespace");
    access.own_namespace = space ? std::string(trim(*space)) : "default";
    return access;
}

}  // namespace stoker::collect
