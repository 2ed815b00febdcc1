// Targets from files: read again when they change, and every refresh_interval.
#pragma once

#include "collect/discovery/discoverer.h"

namespace stoker::collect {

std::shared_ptr<Discoverer> file_discoverer(FileSdConfig config, DiscoveryContext context);

// One look at the files, as far as they are new or have changed; blocks.
class FileReader {
public:
    explicit FileReader(FileSdConfig config) : config_(std::move(config)) {}

    // All groups of all files; of a file that can't be read now, those from before. Errors name every such file, and
    // groups() has what there is. `all`: also what has not changed.
    Result<Unit> read(bool all);
    std::vector<TargetGroup> groups() const;

private:
    struct Known {
        std::string stamp;  // Tells whether the file has changed.
        std::vector<TargetGroup> groups;
        std::string error;
    };
    const FileSdConfig config_;
    std::map<std::string, Known> files_;
};

}  // namespace stoker::collect
