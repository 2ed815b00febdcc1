#include "collect/gpu/nvml_gpm.h"

#include <array>
#include <cmath>
#include <utility>

namespace stoker::collect::nvml {
namespace {

// nvmlGpmMetricId_t, and what one of the metric's units is in ours.
struct Wanted {
    unsigned id;
    double scale;
    Reading GpuReading::*into;
};
constexpr double kPercent = 1e-2;
constexpr double kMiB = 1024.0 * 1024.0;
constexpr std::array<Wanted, 16> kWanted = {{{1, kPercent, &GpuReading::graphics_active},
                                             {2, kPercent, &GpuReading::sm_active},
                                             {3, kPercent, &GpuReading::sm_occupancy},
                                             {4, kPercent, &GpuReading::integer_active},
                                             {5, kPercent, &GpuReading::tensor_active},
                                             {6, kPercent, &GpuReading::dfma_active},
                                             {7, kPercent, &GpuReading::hmma_active},
                                             {9, kPercent, &GpuReading::imma_active},
                                             {10, kPercent, &GpuReading::dram_active},
                                             {11, kPercent, &GpuReading::fp64_active},
                                             {12, kPercent, &GpuReading::fp32_active},
                                             {13, kPercent, &GpuReading::fp16_active},
                                             {20, kMiB, &GpuReading::pcie_tx_rate},
                                             {21, kMiB, &GpuReading::pcie_rx_rate},
                                             {60, kMiB, &GpuReading::nvlink_rx_rate},
                                             {61, kMiB, &GpuReading::nvlink_tx_rate}}};

// A window shorter than this is mostly noise (the counters are read in tens of milliseconds); one longer says nothing
// of now (a stopped process, a machine asleep).
constexpr std::chrono::milliseconds kShortest{100};
constexpr std::chrono::minutes kLongest{10};

}  // namespace

std::unique_ptr<GpmWindow> GpmWindow::create(const Library& library, Device device, std::optional<unsigned> instance) {
    const Api& api = library.api();
    if (api.gpm_support == nullptr || api.gpm_alloc == nullptr || api.gpm_free == nullptr ||
        api.gpm_sample == nullptr || api.gpm_metrics == nullptr || (instance && api.gpm_mig_sample == nullptr)) {
        return nullptr;
    }
    GpmSupport support{.version = 1, .supported = 0};
    if (api.gpm_support(device, &support) != kSuccess || support.supported == 0) return nullptr;
    std::unique_ptr<GpmWindow> window(new GpmWindow(library, device, instance));
    if (api.gpm_alloc(&window->before_) != kSuccess || api.gpm_alloc(&window->after_) != kSuccess) return nullptr;
    window->query_ = std::make_unique<GpmMetricsGet>();
    return window;
}

GpmWindow::~GpmWindow() {
    if (before_ != nullptr) api_.gpm_free(before_);
    if (after_ != nullptr) api_.gpm_free(after_);
}

Return GpmWindow::take(GpmSample sample) const {
    return instance_ ? api_.gpm_mig_sample(device_, *instance_, sample) : api_.gpm_sample(device_, sample);
}

void GpmWindow::read(GpuReading& out) {
    const auto now = std::chrono::steady_clock::now();
    const bool usable = has_before_ && now - before_at_ <= kLongest;
    if (has_before_ && now - before_at_ < kShortest) return;
    const Return taken = take(after_);
    if (taken != kSuccess) {
        has_before_ = false;
        if (taken != kNotSupported) out.failed.push_back("gpm: " + library_.describe(taken));
        return;
    }
    if (usable) {
        *query_ = {};
        query_->version = 1;
        query_->count = kWanted.size();
        query_->first = before_;
        query_->second = after_;
        for (std::size_t i = 0; i < kWanted.size(); ++i) query_->metrics[i].id = kWanted[i].id;
        const Return code = api_.gpm_metrics(query_.get());
        if (code != kSuccess) out.failed.push_back("gpm: " + library_.describe(code));
        for (std::size_t i = 0; code == kSuccess && i < kWanted.size(); ++i) {
            const GpmMetric& metric = query_->metrics[i];
            // An idle GPU's share of bandwidth comes as NaN (driver 580).
            const bool usable_value = metric.result == kSuccess && std::isfinite(metric.value) && metric.value >= 0;
            if (usable_value) out.*kWanted[i].into = metric.value * kWanted[i].scale;
        }
    }
    std::swap(before_, after_);
    before_at_ = now;
    has_before_ = true;
}

}  // namespace stoker::collect::nvml
