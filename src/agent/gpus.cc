#include "agent/gpus.h"

#include <filesystem>

#include "agent/builtin_data.h"
#include "base/log.h"
#include "collect/gpu/nvml_reader.h"
#include "collect/gpu/rocm_reader.h"
#include "collect/gpu/xid_source.h"

namespace stoker::agent {
namespace {

constexpr Duration kDeadline{5'000};  // A round of more than this hangs: eight GPUs take a tenth of it.
constexpr const char* kKernelLog = "/dev/kmsg";

// Who names a library wants it loaded, whatever the kernel has.
bool is_there(const std::string& library, const std::string& driver) {
    std::error_code ignored;
    return !library.empty() || std::filesystem::exists(driver, ignored);
}

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
    if (!options_.enabled) return false;
    const bool nvidia = !nvidia_ && is_there(options_.library, options_.nvidia_driver);
    const bool amd = !amd_ && is_there(options_.rocm_library, options_.amd_driver);
    const collect::GpuSourceOptions source{
        .dcgm = options_.dcgm_names ? collect::DcgmNames::Add : collect::DcgmNames::LeaveOut, .host = host};
    const auto add = [&](std::shared_ptr<collect::Source> one) {
        const auto added = runner.add(wrap(std::move(one)), {.interval = options_.interval, .deadline = kDeadline});
        if (!added) log::error("GPUs are not read", {{"error", added.error().message}});
    };
    const auto add_reader = [&](std::unique_ptr<collect::GpuReader> reader) {
        log::info("a driver of GPUs is there: they are read", {{"reader", reader->name()}});
        add(std::make_shared<collect::GpuSource>(std::move(reader), board_, book_, table_, source));
    };
    if (nvidia) {
        add_reader(std::make_unique<collect::nvml::NvmlReader>(options_.library));
        add(std::make_shared<collect::XidSource>(kKernelLog, book_, board_, table_, source));
        events_.start();
        nvidia_ = true;
    }
    if (amd) {
        add_reader(std::make_unique<collect::rocm::RocmReader>(options_.rocm_library));
        amd_ = true;
    }
    return nvidia_ || amd_;
}

}  // namespace stoker::agent
