// Where the gateway hands the record of each request.
#pragma once

#include <memory>

#include "records/request_record.h"

namespace stoker::gateway {

class RecordBatch;

// Called once for each request, at its end, on the loop that served it. Must not block for long: what follows on that
// loop waits. Thread-safe.
class RecordSink {
public:
    virtual ~RecordSink() = default;
    virtual void on_record(const records::RequestRecord& record) = 0;

    // One for each loop. REQUIRES: the sink outlives it.
    virtual std::unique_ptr<RecordBatch> batch();
};

// A loop's records on their way to the sink, so that those of requests that end together can be written together.
class RecordBatch {
public:
    explicit RecordBatch(RecordSink& sink) : sink_(sink) {}
    virtual ~RecordBatch() = default;
    RecordBatch(const RecordBatch&) = delete;
    RecordBatch& operator=(const RecordBatch&) = delete;

    // Kept back until write() at most, which follows before the answer leaves.
    virtual void add(const records::RequestRecord& record) { sink_.on_record(record); }
    virtual void write() {}

private:
    RecordSink& sink_;
};

inline std::unique_ptr<RecordBatch> RecordSink::batch() {
    return std::make_unique<RecordBatch>(*this);
}

}  // namespace stoker::gateway
