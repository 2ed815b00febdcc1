#include "gateway/meter/overhead.h"

namespace stoker::gateway {
namespace {

constexpr std::array<OverheadStage, kOverheadStages> kStages = {
    OverheadStage::Parse, OverheadStage::Limit,   OverheadStage::Cache,    OverheadStage::Route,
    OverheadStage::Queue, OverheadStage::Connect, OverheadStage::Upstream, OverheadStage::Write};

}  // namespace

std::span<const OverheadStage, kOverheadStages> all_overhead_stages() {
    return kStages;
}

std::string_view to_string(OverheadStage stage) {
    switch (stage) {
        case OverheadStage::Parse:
            return "parse";
        case OverheadStage::Limit:
            return "limit";
        case OverheadStage::Cache:
            return "cache";
        case OverheadStage::Route:
            return "route";
        case OverheadStage::Queue:
            return "queue";
        case OverheadStage::Connect:
            return "connect";
        case OverheadStage::Upstream:
            return "upstream";
        case OverheadStage::Write:
            return "write";
    }
    return "unknown";
}

void Overhead::observe(const OverheadSeries& series) const {
    for (const OverheadStage stage : kStages) {
        const Nanos lasted = spent(stage);
        if (lasted.count() > 0) series[stage]->observe(std::chrono::duration<double>(lasted).count());
    }
}

}  // namespace stoker::gateway
