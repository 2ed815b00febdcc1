// This machine's CPU, memory, disks, network and file systems, under node_exporter's names.
//
// Blocking, but only on the kernel's own files: a round takes about a millisecond. Not thread-safe.
#pragma once

#include <filesystem>
#include <string>

#include "collect/source.h"

namespace stoker::collect {

class HostCollector : public Source {
public:
    // `root` is "/" but for tests; `instance` becomes the label.
    HostCollector(std::filesystem::path root, std::string instance);

    // A file that can't be read leaves its metrics out and says so in node_scrape_collector_success.
    std::string_view name() const override { return "host"; }
    Result<Unit> collect(Timestamp now, SampleSink& sink) override;

private:
    void add_filesystems(std::string_view mounts, SampleBatch& out) const;
    void add_uname(SampleBatch& out) const;

    const std::filesystem::path root_;
    const std::string instance_;
};

// The machine's name, for the label `instance`.
std::string host_name();

}  // namespace stoker::collect
