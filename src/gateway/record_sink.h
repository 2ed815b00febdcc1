// Where the gateway hands the record of each request.
#pragma once

#include "records/request_record.h"

namespace stoker::gateway {

// Called once for each request, at its end, on the loop that served it. Must not block for long: what follows on that
// loop waits. Thread-safe.
class RecordSink {
public:
    virtual ~RecordSink() = default;
    virtual void on_record(const records::RequestRecord& record) = 0;
};

}  // namespace stoker::gateway
