// Known failures in lines of log, counted (stoker_log_signature_total). The lines themselves stay where they are.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "collect/logs/log_entry.h"
#include "collect/logs/signature_counter.h"
#include "collect/logs/signatures.h"

namespace stoker::agent {

// The failures that are known: the built-in ones (config/logs/signatures.yaml), and those of `files`, which come first
// and replace them by name. Errors: of reading; InvalidArgument with every problem and its line.
Result<std::shared_ptr<const collect::Signatures>> load_signatures(const std::vector<std::string>& files);

class LogCounter final : public collect::LogSink {
public:
    // REQUIRES: registry outlives it.
    LogCounter(std::shared_ptr<const collect::Signatures> signatures, metrics::Registry& registry)
        : signatures_(std::move(signatures)), counter_(registry) {}

    // Takes everything.
    Result<Unit> append(std::vector<collect::LogEntry> entries) override;

private:
    const std::shared_ptr<const collect::Signatures> signatures_;
    collect::SignatureCounter counter_;
};

}  // namespace stoker::agent
