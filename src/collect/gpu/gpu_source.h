// GPUs as a Source: looks at all of them, turns what they said into samples, and keeps the last look for the page.
//
// One source for each kind of driver. A driver that hangs hangs this source's thread and nothing else; the board then
// keeps the last look, with its time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/sync.h"
#include "base/time.h"
#include "collect/gpu/gpu_metrics.h"
#include "collect/gpu/gpu_reader.h"
#include "collect/source.h"

namespace stoker::collect {

// The last look at the GPUs, shared by those who look and those who show it. Thread-safe.
struct GpuLook {
    std::string reader;  // GpuReader::name().
    Timestamp at{};
    std::string error;  // Why nothing could be read; empty if something was.
    std::vector<GpuReading> gpus;
};
class GpuBoard {
public:
    void set(GpuLook look);
    // One look for each reader that ever looked, in order of their names.
    std::vector<GpuLook> looks() const;

private:
    mutable Mutex mutex_;
    std::vector<GpuLook> looks_ GUARDED_BY(mutex_);
};

struct GpuSourceOptions {
    DcgmNames dcgm = DcgmNames::Add;
    std::string host;  // This machine's name: the labels instance and, in DCGM's metrics, Hostname.
};

class GpuSource : public Source {
public:
    // `registry` must outlive it.
    GpuSource(std::unique_ptr<GpuReader> reader, std::shared_ptr<GpuBoard> board, GpuSourceOptions options);

    std::string_view name() const override { return reader_->name(); }

    // A machine without a driver is no error: there is nothing to read.
    Result<Unit> collect(Timestamp now, SampleSink& sink) override;

private:
    // Series that were written last time and not now end, so that a lost GPU's last value is not taken for a new one.
    void end_missing(Timestamp now, const std::vector<tsdb::SeriesSample>& written, SampleSink& sink);

    const std::unique_ptr<GpuReader> reader_;
    const std::shared_ptr<GpuBoard> board_;
    const GpuSourceOptions options_;
    std::vector<tsdb::Labels> written_;  // Last time, sorted.
    bool told_metadata_ = false;
};

}  // namespace stoker::collect
