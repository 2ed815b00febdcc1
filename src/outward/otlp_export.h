// Sends what Stoker ingests on to an OTLP/HTTP receiver of metrics (otlp_sender.h).
//
// What is ingested waits in a queue on disk (sample_queue.h). After a crash the last batch may come twice, which
// receivers of cumulative points take for the duplicates they are.
//
// send() is for one thread and blocks while the receiver is asked.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "outward/otlp_sender.h"
#include "outward/sample_queue.h"
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
    // Errors: the journal's, in `directory`. REQUIRES: the registry outlives it.
    static Result<std::unique_ptr<OtlpExport>> open(OtlpExportOptions options, const std::string& directory,
                                                    OtlpSender::Post post, metrics::Registry& registry);

    const std::string& name() const { return options_.name; }
    SampleQueue& queue() { return *queue_; }

    // Sends what waits, unless a pause is kept. Ends early once `stopping` says so.
    void send(SteadyTime steady, const std::function<bool()>& stopping);

private:
    OtlpExport(OtlpExportOptions options, std::unique_ptr<SampleQueue> queue, OtlpSender::Post post,
               metrics::Registry& registry);
    OtlpBatch make(std::span<const journal::Record> records) const;

    const OtlpExportOptions options_;
    const std::unique_ptr<SampleQueue> queue_;
    metrics::Gauge& queue_bytes_;
    OtlpSender sender_;
};

}  // namespace stoker::outward
