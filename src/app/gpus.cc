#include "app/gpus.h"

#include "app/builtin_files.h"
#include "base/log.h"
#include "collect/gpu/nvml_reader.h"
#include "collect/gpu/rocm_reader.h"
#include "collect/gpu/xid_source.h"

namespace stoker::app {
namespace {

constexpr Duration kDeadline{5'000};  // A round of more than this hangs: eight GPUs take a tenth of it.

}  // namespace

Gpus::Gpus(const GpuConfig& config, std::shared_ptr<const collect::XidTable> table)
    : config_(config), table_(std::move(table)), events_(config.library, book_) {}

Result<std::unique_ptr<Gpus>> Gpus::create(const GpuConfig& config) {
    if (config.xids) return std::unique_ptr<Gpus>(new Gpus(config, config.xids));
    TRY(auto table, collect::XidTable::parse(kBuiltinXids, "built-in"));
    return std::unique_ptr<Gpus>(new Gpus(config, std::make_shared<collect::XidTable>(std::move(table))));
}

void Gpus::start(collect::SourceRunner& runner, const std::string& host) {
    if (!config_.enabled) return;
    const collect::GpuSourceOptions options{
        .dcgm = config_.dcgm_names ? collect::DcgmNames::Add : collect::DcgmNames::LeaveOut,
        .engines = [engines = engines_] { return *engines->get(); },
        .host = host};
    const auto add = [&](std::shared_ptr<collect::Source> source) {
        const auto added = runner.add(std::move(source), {.interval = config_.interval, .deadline = kDeadline});
        if (!added) log::error("GPUs are not read", {{"error", added.error().message}});
    };
    // Each on a thread of its own: one vendor's driver that hangs does not hold up the other's.
    add(std::make_shared<collect::GpuSource>(std::make_unique<collect::nvml::NvmlReader>(config_.library), board_,
                                             book_, table_, options));
    add(std::make_shared<collect::GpuSource>(std::make_unique<collect::rocm::RocmReader>(config_.rocm_library), board_,
                                             book_, table_, options));
    add(std::make_shared<collect::XidSource>(config_.kernel_log, book_, board_, table_, options));
    events_.start();
}

}  // namespace stoker::app
