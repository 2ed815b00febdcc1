#include "agent/gpus.h"

#include <filesystem>

#include "agent/builtin_data.h"
#include "base/log.h"
#include "collect/gpu/nvml_reader.h"
#include "collect/gpu/xid_source.h"

namespace stoker::agent {
namespace {

constexpr Duration kDeadline{5'000};  // A round of more than this hangs: eight GPUs take a tenth of it.
constexpr const char* kKernelLog = "/dev/kmsg";

}  // namespace

Gpus::Gpus(const GpuOptions& options, collect::XidTable table)
    : options_(options),
      table_(std::make_shared<collect::XidTable>(std::move(table))),
      events_(options.library, book_) {}

Result<std::unique_ptr<Gpus>> Gpus::create(const GpuOptions& options) {
    TRY(auto table, collect::XidTable::parse(kBuiltinXids, "built-in"));
    return std::unique_ptr<Gpus>(new Gpus(options, std::move(table)));
}

bool Gpus::look(collect::SourceRunner& runner, const std::string& host, const Wrap& wrap) {
    if (reading_ || !options_.enabled) return reading_;
    std::error_code ignored;
    if (options_.library.empty() && !std::filesystem::exists(options_.driver_file, ignored)) return false;
    const collect::GpuSourceOptions source{
        .dcgm = options_.dcgm_names ? collect::DcgmNames::Add : collect::DcgmNames::LeaveOut, .host = host};
    const auto add = [&](std::shared_ptr<collect::Source> one) {
        const auto added = runner.add(wrap(std::move(one)), {.interval = options_.interval, .deadline = kDeadline});
        if (!added) log::error("GPUs are not read", {{"error", added.error().message}});
    };
    add(std::make_shared<collect::GpuSource>(std::make_unique<collect::nvml::NvmlReader>(options_.library), board_,
                                             book_, table_, source));
    add(std::make_shared<collect::XidSource>(kKernelLog, book_, board_, table_, source));
    events_.start();
    reading_ = true;
    log::info("there is a driver of NVIDIA's: its GPUs are read", {});
    return true;
}

}  // namespace stoker::agent
