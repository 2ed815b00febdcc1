#include "gateway/upstream/address.h"

#include <utility>

namespace stoker::gateway {

void address(net::ClientRequest& request, const Pool& pool, const Target& target, Sender sender) {
    if (pool.provider) {
        const ProviderOptions& provider = pool.provider->options;
        request.target = provider_target(provider, target.path_prefix, sender.head.target);
        request.headers = provider_headers(provider, {.client = sender.head.headers,
                                                      .dialect = sender.dialect,
                                                      .api_key = target.api_key,
                                                      .request_id = sender.id,
                                                      .traceparent = std::move(sender.traceparent)});
        return;
    }
    request.target = target.path_prefix + sender.head.target;
    request.headers =
        upstream_headers(sender.head, sender.id, std::move(sender.traceparent), target.api_key, sender.credentials);
}

}  // namespace stoker::gateway
