// Stoker's own traces: what the gateway did for each request, as spans beside those that others send.
//
// They are made from the records in the journal. How far it came is kept by the telemetry store with the spans, so that
// a crash neither loses nor repeats any. A request that somebody else's trace led here is left to the sampler of that
// trace; of the others it is decided at once, with the same settings. For one thread; take() blocks.
#pragma once

#include "app/request_exemplars.h"
#include "base/metrics.h"
#include "journal/journal.h"
#include "records/request_record.h"
#include "records/tail_sampler.h"
#include "records/telemetry_store.h"

namespace stoker::app {

class OwnTraces {
public:
    // Begins where the store's marker is, or, where there is none, with what comes after this. REQUIRES: all outlive
    // it.
    OwnTraces(journal::Journal& journal, records::TelemetryStore& store, records::SamplingOptions sampling,
              tsdb::Ingest& metrics, metrics::Registry& registry);

    // Takes what came since the last call. Errors: of journal and store; the same comes again then.
    Result<Unit> take();

private:
    void add_spans(const records::RequestRecord& record, std::vector<records::SpanRow>& rows);

    journal::Journal& journal_;
    records::TelemetryStore& store_;
    const records::SamplingOptions sampling_;
    records::TraceRate rate_;
    RequestExemplars exemplars_;
    metrics::Counter& dropped_;
    std::uint64_t next_;
};

}  // namespace stoker::app
