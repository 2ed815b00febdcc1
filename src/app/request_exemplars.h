// The requests behind the gateway's histograms: exemplars with the trace id, for requests whose traces are kept.
//
// An exemplar stands at the bucket that its value fell into. The first requests of a series come before its first
// sample is stored; their exemplars are offered again for a while. For one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "base/time.h"
#include "records/request_record.h"
#include "tsdb/store.h"

namespace stoker::app {

// Those of one request: of its duration and, for a stream, of the time to its first token. By pairs of series of which
// the store has one: tenants are a label only where the configuration names them.
std::vector<tsdb::SeriesExemplars> exemplars_of(const records::RequestRecord& record);

class RequestExemplars {
public:
    // REQUIRES: `store` outlives it.
    explicit RequestExemplars(tsdb::Ingest& store) : store_(store) {}

    void add(const records::RequestRecord& record, Timestamp now);
    // Offers again what was not taken.
    void offer(Timestamp now);

private:
    struct Waiting {
        Timestamp since;
        tsdb::SeriesExemplars exemplar;
    };
    static constexpr std::size_t kMostWaiting = 400;
    static constexpr Duration kOfferFor{60'000};

    bool take(const tsdb::SeriesExemplars& exemplar);

    tsdb::Ingest& store_;
    std::deque<Waiting> waiting_;
    Timestamp offered_;
};

}  // namespace stoker::app
