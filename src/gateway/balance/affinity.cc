#include "gateway/balance/affinity.h"

namespace stoker::gateway {

std::string_view session_of(const RequestContext& context) {
    const std::string& name = context.route->pool->balancer->options().session_header;
    if (!name.empty()) {
        const auto given = context.exchange().request().headers.get(name);
        if (given && !given->empty()) return *given;
    }
    if (context.scan.user_value.present()) return context.scan.user_value.of(context.body);
    return context.identity->key_id;
}

}  // namespace stoker::gateway
