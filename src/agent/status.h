// How the agent is, for `stoker agent status`: a file beside the buffer, replaced every few seconds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/config.h"
#include "agent/own_use.h"
#include "agent/sender.h"
#include "base/time.h"

namespace stoker::agent {

struct AgentStatus {
    Timestamp started{};
    Timestamp at{};  // When this was written.
    std::string instance;
    OwnUse use;
    std::uint64_t buffer_bytes = 0;
    std::string buffer_error;  // Why nothing is buffered now, if that is so.
    std::vector<SenderStatus> senders;
};

std::string status_file(const Config& config);
std::string to_json(const AgentStatus& status);
// For people, as of `now`. Errors: InvalidArgument, a text that to_json() did not write.
Result<std::string> status_text(const std::string& json, Timestamp now);

}  // namespace stoker::agent
