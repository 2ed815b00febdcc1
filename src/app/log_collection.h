// All that brings lines of log in: files, journald, pushes; and the signatures that are recognised in them.
//
// start() and stop() from one thread; the rest is thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/log_tail.h"
#include "api/push.h"
#include "app/config.h"
#include "app/job.h"
#include "app/log_pipeline.h"
#include "app/signature_events.h"
#include "base/metrics.h"
#include "collect/logs/file_follower.h"
#include "collect/logs/journald.h"
#include "collect/logs/receive.h"
#include "collect/logs/signature_file.h"

namespace stoker::app {

// The signatures that ship with Stoker, and those of the configuration's files before them. Errors: InvalidArgument,
// with every problem of the files; NotFound.
Result<std::vector<collect::SignatureSpec>> log_signatures(const Config& config);

class LogCollection {
public:
    // `data_dir` is where places are kept, and below it the logs of supervised engines. REQUIRES: the references
    // outlive it. Errors: of the signature files.
    static Result<std::unique_ptr<LogCollection>> create(const Config& config, const std::string& data_dir,
                                                         records::TelemetryStore& store, outward::EventLog& events,
                                                         metrics::Registry& registry);

    void start();
    // Reads what there is once more, and remembers how far.
    void stop();

    // REQUIRES: used no longer than this.
    std::vector<api::PushEndpoint> endpoints();
    api::LogTail& tail() { return tail_; }

private:
    LogCollection(const Config& config, const std::string& data_dir,
                  std::shared_ptr<const collect::Signatures> signatures, records::TelemetryStore& store,
                  outward::EventLog& events, metrics::Registry& registry);

    metrics::Registry& registry_;
    api::LogTail tail_;
    SignatureEvents events_;
    LogPipeline pipeline_;
    collect::LogReceiver receiver_;
    std::unique_ptr<collect::FileFollower> files_;
    std::unique_ptr<collect::JournaldFollower> journald_;
    std::vector<std::unique_ptr<Job>> jobs_;
};

}  // namespace stoker::app
