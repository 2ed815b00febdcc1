// Sends what a journal holds on to an OTLP/HTTP receiver, in protobuf with gzip: samples, spans or lines of log.
//
// A batch counts as sent once the receiver took it, and the reader's place in the journal moves on; so nothing is lost
// that the journal still holds, and after a crash the last batch may come twice.
//
// send() is for one thread and blocks while the receiver is asked.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>

#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "journal/journal.h"
#include "outward/webhook.h"

namespace stoker::outward {

struct OtlpSenderOptions {
    std::string name;      // The `export` label of its metrics.
    std::string what;      // "samples", "spans", "logs": it stands in their names.
    std::string endpoint;  // http(s)://HOST:4318/v1/...
    std::map<std::string, std::string> headers;
    std::string reader;  // As which the journal knows it.
};

// A request that was made of some records.
struct OtlpBatch {
    std::string body;  // Not compressed yet; empty: there is nothing to send.
    std::size_t items = 0;
    std::size_t skipped = 0;  // That OTLP has no place for.
    std::size_t unreadable = 0;
    std::size_t records = 0;  // How many it has used up, from the front; at least one.
};

// stoker_otlp_export_<what>_total.
metrics::Counter& otlp_export_counter(metrics::Registry& registry, const OtlpSenderOptions& options,
                                      const char* result);

class OtlpSender {
public:
    // One blocking POST.
    using Post = std::function<Result<net::Response>(const std::string& url, const WebhookRequest& request)>;
    using Make = std::function<OtlpBatch(std::span<const journal::Record> records)>;

    // REQUIRES: journal and registry outlive it.
    OtlpSender(OtlpSenderOptions options, journal::Journal& journal, Make make, Post post, metrics::Registry& registry);

    // Sends what waits, unless a pause is kept. Ends early once `stopping` says so.
    void send(SteadyTime steady, const std::function<bool()>& stopping);

private:
    // False: the same again, after a pause.
    bool deliver(const OtlpBatch& batch, SteadyTime steady);
    void commit(std::uint64_t next);

    const OtlpSenderOptions options_;
    journal::Journal& journal_;
    const Make make_;
    const Post post_;
    metrics::Counter& sent_;
    metrics::Counter& rejected_;
    metrics::Counter& skipped_;
    metrics::Counter& lost_;
    metrics::Counter& failures_;
    metrics::Gauge& waiting_;

    // Of the sending thread.
    std::uint64_t expected_ = 0;  // What comes next, if the journal still has it; 0: not known yet.
    SteadyTime not_before_{};
    Duration pause_{0};
};

}  // namespace stoker::outward
