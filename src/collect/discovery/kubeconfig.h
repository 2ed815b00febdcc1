// Where an API server is and how to be let in: from a kubeconfig, or from the pod that Stoker runs in.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "base/result.h"
#include "collect/discovery/http_config.h"

namespace stoker::collect {

// A file that is in memory only: certificates that stand in a kubeconfig itself.
class MemoryFile {
public:
    // Errors: Internal.
    static Result<std::shared_ptr<MemoryFile>> create(std::string_view content);
    ~MemoryFile();
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;

    std::string path() const;  // Good as long as this is there, in this process.

private:
    explicit MemoryFile(int descriptor) : descriptor_(descriptor) {}
    const int descriptor_;
};

struct KubernetesAccess {
    std::string server;  // https://HOST:PORT
    HttpConfig http;
    std::string own_namespace;                       // "default" if nobody says.
    std::vector<std::shared_ptr<MemoryFile>> files;  // That `http` names.
};

// The current context of a kubeconfig; relative paths start at `folder`. Errors: InvalidArgument, naming what is
// missing or not supported (programs that make credentials: `exec`, `auth-provider`).
Result<KubernetesAccess> parse_kubeconfig(std::string_view text, const std::string& folder);

// `folder` has token, ca.crt and namespace, which Kubernetes renews; the environment has the server's address. Errors:
// NotFound (not in a pod).
Result<KubernetesAccess> in_cluster(const config::Environment& environment,
                                    const std::string& folder = "/var/run/secrets/kubernetes.io/serviceaccount");

}  // namespace stoker::collect
