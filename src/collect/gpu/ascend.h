// Huawei's Ascend NPUs by the names of gpu.md: from what Huawei's npu-exporter shows on its page (npu_chip_info_*),
// whose own names stay as they are. Units become ours; the labels `gpu` and `uuid` are the chip's number and die.
//
// Names and units: MindCluster's reference of the "Prometheus Metrics" interface, 7.0. Pure and thread-safe.
#pragma once

#include <string_view>
#include <vector>

#include "collect/sample_sink.h"
#include "collect/scrape/scrape_page.h"

namespace stoker::collect {

struct AscendSample {
    std::string_view name;
    SampleBatch::Pairs labels;
    double value = 0;
};

// Nothing if the page is not npu-exporter's. What the exporter could not read is absent.
std::vector<AscendSample> ascend_samples(const std::vector<ScrapePage::Sample>& page);

}  // namespace stoker::collect
