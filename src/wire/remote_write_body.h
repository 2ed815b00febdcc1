// A request's body decompressed into memory that is used again, so that a busy sender costs no fresh pages a request.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace stoker::wire {

// Not thread-safe.
class BodyBuffer {
public:
    // As wire::decompress(); the view holds until the next call.
    Result<std::string_view> decompress(std::string_view encoding, std::string_view body, std::size_t most);

private:
    // Grows to the largest body of late: its length stays, for a string that grows again writes zeros first.
    std::string memory_;
};

}  // namespace stoker::wire
