// What of a request's body is edited for the replica that gets it.
#pragma once

#include "gateway/request_context.h"
#include "gateway/upstream/continuation.h"

namespace stoker::gateway {

// Makes `body` the request as this target gets it: the client's own, or what goes on with `progress`.
// REQUIRES: `context` and `progress` outlive its use.
void edit_for(const RequestContext& context, const StreamProgress& progress, const Target& target,
              wire::EditedBody& body);

}  // namespace stoker::gateway
