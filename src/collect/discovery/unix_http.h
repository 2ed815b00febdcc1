// A GET over a Unix socket, for daemons that have nothing else (Docker's, Podman's).
//
// HTTP/1.0, so that the answer ends with the connection and comes in one piece.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace stoker::collect {

// The body of a 200. Errors: Unavailable (nobody there, another status), ResourceExhausted, DeadlineExceeded.
boost::asio::awaitable<Result<std::string>> unix_get(boost::asio::io_context& loop, std::string socket_path,
                                                     std::string target, Duration limit);

// The body of a whole answer. Errors: Unavailable (another status than 200, with what it says), Corruption.
Result<std::string> unix_answer(std::string_view answer);

}  // namespace stoker::collect
