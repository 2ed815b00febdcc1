#include "app/gpus.h"

#include "base/log.h"
#include "collect/gpu/nvml_reader.h"

namespace stoker::app {

void Gpus::start(collect::SourceRunner& runner, const std::string& host) {
    if (!config_.enabled) return;
    // A round of more than this hangs: eight GPUs take a tenth of it.
    constexpr Duration kDeadline{5'000};
    const collect::GpuSourceOptions options{
        .dcgm = config_.dcgm_names ? collect::DcgmNames::Add : collect::DcgmNames::LeaveOut, .host = host};
    auto source = std::make_shared<collect::GpuSource>(std::make_unique<collect::nvml::NvmlReader>(config_.library),
                                                       board_, options);
    const auto added = runner.add(std::move(source), {.interval = config_.interval, .deadline = kDeadline});
    if (!added) log::error("GPUs are not read", {{"error", added.error().message}});
}

}  // namespace stoker::app
