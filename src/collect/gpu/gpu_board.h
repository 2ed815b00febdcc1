// The last look at the GPUs, shared by those who look and those who show it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/sync.h"
#include "base/time.h"
#include "collect/gpu/gpu_reading.h"
#include "collect/gpu/xid_book.h"
#include "collect/gpu/xid_table.h"

namespace stoker::collect {

struct GpuLook {
    std::string reader;  // GpuReader::name().
    Timestamp at{};
    std::string error;  // Why nothing could be read; empty if something was.
    std::vector<GpuReading> gpus;
};

// Thread-safe.
class GpuBoard {
public:
    void set(GpuLook look);
    // One look for each reader that ever looked, in order of their names.
    std::vector<GpuLook> looks() const;

private:
    mutable Mutex mutex_;
    std::vector<GpuLook> looks_ GUARDED_BY(mutex_);
};

// Everything that is known of the GPUs at one time.
struct GpuReport {
    std::vector<GpuLook> looks;
    std::vector<XidCount> xids;
    std::shared_ptr<const XidTable> table;  // Never null where `xids` is not empty.
};

}  // namespace stoker::collect
