// The last stage before a request goes to an engine: answers it from what is there already, if it may.
//
//   exact      the answer to an identical request is kept, and given again until it is too old
//   semantic   a question that means about the same was answered, all else being equal
//   coalesced  an identical request is under way: this one gets the same answer as it comes
//
// Looking for an answer is part of the record's cache_ns, waiting for another's of its queue_ns.
//
// What is kept is a whole, good answer: 200, ended as a model ends (finish_reason), by the model that the request was
// planned for, at one go. An answer that others gave generated nothing: its usage stands in the body as it was, its
// tokens in no ledger and against no limit.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "gateway/request_context.h"

namespace stoker::gateway {

// Settles the request. REQUIRES: as forward().
boost::asio::awaitable<void> answer_or_forward(RequestContext& context);

}  // namespace stoker::gateway
