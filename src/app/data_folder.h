// The data folder: one process at a time, and run.json, which tells where Stoker really listens.
//
// run.json: {"version":1,"pid":…,"gateway":"HOST:PORT","console":"HOST:PORT","started_ms":…}; it is there while Stoker
// is ready, and gone after a graceful stop. Not thread-safe.
#pragma once

#include <string>

#include "base/result.h"
#include "base/time.h"

namespace stoker::app {

class DataFolder {
public:
    // Makes the folder if it is missing and locks it. Errors: Conflict if another Stoker has it, PermissionDenied.
    static Result<DataFolder> open(const std::string& path);
    DataFolder(DataFolder&& other) noexcept;
    DataFolder& operator=(DataFolder&&) = delete;
    ~DataFolder();

    const std::string& path() const { return path_; }
    // PATH of a file or folder in it.
    std::string at(const std::string& name) const { return path_ + "/" + name; }

    Result<Unit> publish(const std::string& gateway, const std::string& console, Timestamp started) const;
    void withdraw() const;

private:
    DataFolder(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

    std::string path_;
    int lock_ = -1;
};

}  // namespace stoker::app
