// A pool of somebody else's: an API behind a key, asked over the internet, not an engine of ours.
//
// What differs from an engine: the key is shown as that API wants it, and nothing the client sent of itself goes along
// but what describes the request; nothing that tells of our account comes back to the client; models have other names
// there; and it is not probed unless that is asked for. Plain values and pure functions, thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/client.h"
#include "net/http.h"
#include "wire/dialect.h"

namespace stoker::gateway {

// How a key is shown. OpenAi: Authorization: Bearer. Anthropic: x-api-key and anthropic-version on its own endpoints,
// Bearer on the others. Azure: api-key.
enum class ProviderApi : std::uint8_t { OpenAi, Anthropic, Azure };
std::string_view to_string(ProviderApi api);  // As in the configuration.
std::optional<ProviderApi> parse_provider_api(std::string_view text);

struct ProviderOptions {
    ProviderApi api = ProviderApi::OpenAi;
    std::string api_key{};                        // For replicas that have none of their own.
    std::string path = "/v1";                     // Stands for the /v1 of endpoints.
    std::map<std::string, std::string> models{};  // From the pool's names to the provider's.
    std::map<std::string, std::string> set_headers{};
    std::vector<std::string> pass_headers{};    // Patterns with `*`: of the client's, besides those that always go.
    std::vector<std::string> remove_headers{};  // Patterns: of those, not these.
    std::string ca_file{};                      // PEM; empty: the system's certificates.
    bool verify = true;
    net::ProxyOptions proxy{};

    // The provider's name for a model of the pool.
    const std::string& name_of(const std::string& model) const;
};

// Whom to trust, and the proxy on the way. Two pools that have the same share connections.
struct ProviderAccess {
    net::TlsClientOptions options;
    net::ProxyOptions proxy;
    std::string ca;  // The text of ca_file, so that another file under the same name is another trust.
};

// A provider as requests use it.
struct Provider {
    ProviderOptions options;
    std::shared_ptr<const ProviderAccess> access;  // Null: the system's trust, and no proxy.

    // `before` is what the pool had until now: what is unchanged stays. Errors: those of reading ca_file.
    static Result<std::shared_ptr<const Provider>> create(ProviderOptions options, const Provider* before);
};

// A header that carries credentials of a client: never sent to a provider, nor may a configuration let it pass.
bool is_credential(std::string_view header);

// Where an endpoint is: `prefix` is the path of the replica's URL, `target` the client's path and query.
std::string provider_target(const ProviderOptions& options, std::string_view prefix, std::string_view target);

struct ProviderRequest {
    const net::Headers& client;  // As the client sent them.
    wire::Dialect dialect{};
    const std::string& api_key;  // The replica's own; empty: the pool's.
    const std::string& request_id;
    std::string traceparent;
};
net::Headers provider_headers(const ProviderOptions& options, ProviderRequest request);

// Whether a header of the provider's answer is the client's to see: what describes the answer, and nothing of cookies,
// accounts and their limits, or of the connection's security.
bool is_answer_header(std::string_view header);

// Refuses the key or its account: no fault of the client's.
bool refuses_key(int status);

}  // namespace stoker::gateway
