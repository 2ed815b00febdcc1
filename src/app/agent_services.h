// Agents at the borders: the console's view of them, and their tokens before what is pushed.
#pragma once

#include <vector>

#include "api/push.h"
#include "api/services.h"
#include "app/agent_book.h"

namespace stoker::app {

// REQUIRES, of both: `book` outlives the result.
api::AgentServices agent_services(AgentBook& book);

// The same endpoints, each behind AgentBook::admit(): what it refuses is answered 401.
std::vector<api::PushEndpoint> behind_tokens(std::vector<api::PushEndpoint> endpoints, AgentBook& book,
                                             bool token_needed);

}  // namespace stoker::app
