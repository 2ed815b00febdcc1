// Sends what Stoker ingests on to an OTLP/HTTP receiver of metrics, in protobuf with gzip.
//
// What is ingested waits in a queue on disk (sample_queue.h). A batch counts as sent once the receiver took it; after a
// crash the last one may come twice, which receivers of cumulative points take for the duplicates they are.
//
// send() is for one thread and blocks while the receiver is asked.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "outward/sample_queue.h"
#include "outward/webhook.h"
#include "tsdb/store.h"

namespace stoker::outward {

struct OtlpExportOptions {
    std::string name;      // The `export` label of its metrics.
    std::string endpoint;  // http(s)://HOST:4318/v1/metrics
    std::map<std::string, std::string> headers;
    std::map<std::string, std::string> resource;  // Attributes of every resource.
    std::uint64_t max_queue_bytes = std::uint64_t{1} << 30;
    std::string version;  // Of Stoker.
    // All families that there are; they say what is a counter, and what a histogram.
    std::function<std::vector<tsdb::FamilyMetadata>()> families;
};

class OtlpExport {
public:
    // One blocking POST.
    using Post = std::function<Result<net::Response>(const std::string& url, const WebhookRequest& request)>;

    // Errors: the journal's, in `directory`. REQUIRES: the registry outlives it.
    static Result<std::unique_ptr<OtlpExport>> open(OtlpExportOptions options, const std::string& directory, Post post,
                                                    metrics::Registry& registry);

    SampleQueue& queue() { return *queue_; }

    // Sends what waits, unless a pause is kept. Ends early once `stopping` says so.
    void send(SteadyTime steady, const std::function<bool()>& stopping);

private:
    struct Batch {
        std::string body;  // Compressed.
        std::size_t samples = 0;
        std::size_t skipped = 0;  // Samples that OTLP has no place for.
        std::size_t unreadable = 0;
        std::uint64_t next = 0;
    };

    OtlpExport(OtlpExportOptions options, std::unique_ptr<SampleQueue> queue, Post post, metrics::Registry& registry);
    Result<Batch> read(std::uint64_t from);
    // False: the same again, after a pause.
    bool deliver(const Batch& batch, SteadyTime steady);
    void commit(std::uint64_t next);

    const OtlpExportOptions options_;
    const std::unique_ptr<SampleQueue> queue_;
    journal::Journal& journal_;  // The queue's.
    const Post post_;
    metrics::Counter& sent_;
    metrics::Counter& rejected_;
    metrics::Counter& skipped_;
    metrics::Counter& lost_;
    metrics::Counter& failures_;
    metrics::Gauge& queue_bytes_;

    // Of the sending thread.
    SteadyTime not_before_{};
    Duration pause_{0};
};

}  // namespace stoker::outward
