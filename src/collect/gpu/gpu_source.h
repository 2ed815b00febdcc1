// GPUs as a Source: looks at all of them, turns what they said into samples, and keeps the last look for the page.
//
// One source for each kind of driver. A driver that hangs hangs this source's thread and nothing else; the board then
// keeps the last look, with its time.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "collect/gpu/engine_join.h"
#include "collect/gpu/gpu_board.h"
#include "collect/gpu/gpu_health.h"
#include "collect/gpu/gpu_metrics.h"
#include "collect/gpu/gpu_reader.h"
#include "collect/source.h"

namespace stoker::collect {

struct GpuSourceOptions {
    DcgmNames dcgm = DcgmNames::Add;
    std::function<std::vector<EngineEndpoint>()> engines = {};  // On this machine; empty: processes are not joined.
    std::string host = {};  // This machine's name: the labels instance and, in DCGM's metrics, Hostname.
};

class GpuSource : public Source {
public:
    GpuSource(std::unique_ptr<GpuReader> reader, std::shared_ptr<GpuBoard> board, std::shared_ptr<const XidBook> book,
              std::shared_ptr<const XidTable> table, GpuSourceOptions options);

    std::string_view name() const override { return reader_->name(); }

    // A machine without a driver is no error: there is nothing to read.
    Result<Unit> collect(Timestamp now, SampleSink& sink) override;

private:
    void think(GpuReading& gpu, const std::vector<XidCount>& xids, Timestamp now);
    // Series that were written last time and not now end, so that a lost GPU's last value is not taken for a new one.
    void end_missing(Timestamp now, const std::vector<tsdb::SeriesSample>& written, SampleSink& sink);

    const std::unique_ptr<GpuReader> reader_;
    const std::shared_ptr<GpuBoard> board_;
    const std::shared_ptr<const XidBook> book_;
    const std::shared_ptr<const XidTable> table_;
    const GpuSourceOptions options_;
    EngineJoin join_;
    std::map<std::string, GpuDoubt> doubts_;  // By UUID.
    std::vector<tsdb::Labels> written_;       // Last time, sorted.
    bool told_metadata_ = false;
};

}  // namespace stoker::collect
