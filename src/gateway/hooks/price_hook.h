// The place for prices and budgets: told of every request once its tokens are known, before its record is written.
// GatewayOptions::price brings somebody who counts.
#pragma once

#include "gateway/hooks/answer_source.h"
#include "records/request_record.h"

namespace stoker::gateway {

// Thread-safe. Called on the requests' loops: must not block.
class PriceHook {
public:
    virtual ~PriceHook() = default;
    // Once for each request, however it ended: who asked (tenant, key_id), what answered (model, pool, replica), and
    // the tokens with their parts. usage_source tells how well they are known; none: nothing was used, as of an answer
    // whose source is Cache or Shared. A request of a batch has its share; the batch itself is not told of.
    virtual void on_metered(const records::RequestRecord& record, AnswerSource source) = 0;
};

}  // namespace stoker::gateway
