// The stages that show a request and its answer to the scanner, where there is one.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>

#include "gateway/hooks/content_scanner.h"
#include "gateway/request_context.h"

namespace stoker::gateway {

// False: refused, and the request is settled.
boost::asio::awaitable<bool> scan_content(RequestContext& context);

// For an answer that begins; null if nobody wants to see it.
std::unique_ptr<AnswerScanner> scan_answer_of(RequestContext& context, AnswerSource source);

// An answer that is here, as the client would get it: a stream's events, or a body. `scanner` may be null.
ScanVerdict scan_whole(AnswerScanner* scanner, bool stream, std::string_view body);
// The same for one that came from `source`. False: refused, and the request is settled.
boost::asio::awaitable<bool> scan_answer(RequestContext& context, AnswerSource source, std::string_view body);

}  // namespace stoker::gateway
