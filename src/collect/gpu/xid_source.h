// XIDs as a Source: what the kernel's log and the driver's events told, as samples.
//
// Apart from NVML's source, so that XIDs are told while the driver hangs. Never blocks.
#pragma once

#include <memory>
#include <string>

#include "collect/gpu/gpu_source.h"
#include "collect/gpu/kernel_log.h"
#include "collect/gpu/xid_book.h"
#include "collect/gpu/xid_table.h"
#include "collect/source.h"

namespace stoker::collect {

class XidSource : public Source {
public:
    // `kernel_log` empty: it is not read. `board` says which GPU has which address.
    XidSource(std::string kernel_log, std::shared_ptr<XidBook> book, std::shared_ptr<const GpuBoard> board,
              std::shared_ptr<const XidTable> table, GpuSourceOptions options);

    std::string_view name() const override { return "gpu_xid"; }

    // A log that may not be read is told by stoker_gpu_kernel_log_readable, and is no error: events may be enough.
    Result<Unit> collect(Timestamp now, SampleSink& sink) override;

private:
    static constexpr int kWaitForNames = 10;  // Rounds.

    Result<Unit> follow_log(Timestamp now);

    KernelLog log_;
    const bool follow_;
    const std::shared_ptr<XidBook> book_;
    const std::shared_ptr<const GpuBoard> board_;
    const std::shared_ptr<const XidTable> table_;
    const GpuSourceOptions options_;
    bool history_ = true;  // What the log holds at first was written before us.
    bool told_metadata_ = false;
    int rounds_ = 0;
};

// The metrics that it writes, for the documentation.
std::span<const GpuFamily> xid_families();

}  // namespace stoker::collect
