// This machine's GPUs: what reads them, and what is known of them for the console.
//
// Thread-safe after start().
#pragma once

#include <memory>

#include "app/config_gpu.h"
#include "base/snapshot.h"
#include "collect/gpu/gpu_source.h"
#include "collect/gpu/xid_events.h"
#include "collect/source_runner.h"

namespace stoker::app {

class Gpus {
public:
    // Errors: of the table of XIDs that ships.
    static Result<std::unique_ptr<Gpus>> create(const GpuConfig& config);

    // Has `runner` read the GPUs from now on, if the configuration wants it. `host` is this machine's name.
    void start(collect::SourceRunner& runner, const std::string& host);
    void stop() { events_.stop(); }

    // Those that answer on this machine, for joining the processes on GPUs with them.
    void set_engines(std::vector<collect::EngineEndpoint> engines) {
        engines_->set(std::make_shared<const std::vector<collect::EngineEndpoint>>(std::move(engines)));
    }

    collect::GpuReport report() const { return {board_->looks(), book_->counts(), table_}; }

private:
    Gpus(const GpuConfig& config, std::shared_ptr<const collect::XidTable> table);

    const GpuConfig config_;
    const std::shared_ptr<const collect::XidTable> table_;
    const std::shared_ptr<collect::GpuBoard> board_ = std::make_shared<collect::GpuBoard>();
    const std::shared_ptr<collect::XidBook> book_ = std::make_shared<collect::XidBook>();
    // Shared with the source, whose thread may outlive us in a driver that hangs.
    using Engines = Snapshot<std::vector<collect::EngineEndpoint>>;
    const std::shared_ptr<Engines> engines_ = std::make_shared<Engines>();
    collect::XidEvents events_;
};

}  // namespace stoker::app
