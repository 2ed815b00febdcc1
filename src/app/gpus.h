// This machine's GPUs: what reads them, and what is known of them for the console.
//
// Thread-safe after start().
#pragma once

#include <memory>

#include "app/config_gpu.h"
#include "base/metrics.h"
#include "collect/gpu/gpu_source.h"
#include "collect/source_runner.h"

namespace stoker::app {

class Gpus {
public:
    explicit Gpus(const GpuConfig& config) : config_(config), board_(std::make_shared<collect::GpuBoard>()) {}

    // Has `runner` read the GPUs from now on, if the configuration wants it. `host` is this machine's name.
    void start(collect::SourceRunner& runner, const std::string& host);

    std::vector<collect::GpuLook> looks() const { return board_->looks(); }

private:
    const GpuConfig config_;
    const std::shared_ptr<collect::GpuBoard> board_;
};

}  // namespace stoker::app
