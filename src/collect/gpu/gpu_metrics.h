// GPUs as samples: one table of names, which docs/gpu.md repeats (and a test compares), with DCGM's names beside ours.
//
// Pure and thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collect/gpu/gpu_reading.h"
#include "collect/sample_sink.h"

namespace stoker::collect {

// One value of a GpuReading as a metric.
struct GpuMetric {
    const char* name;
    const char* labels;  // Beside gpu and uuid: "type=corrected,lifetime=volatile"; may be empty.
    Reading GpuReading::*value;
    const char* type;  // "gauge" or "counter".
    const char* help;
    const char* dcgm = "";  // DCGM's field for the same, if there is one, and
    double dcgm_scale = 1;  // what our value is multiplied by to be in its unit.
};

std::span<const GpuMetric> gpu_metrics();

// Metrics that are not one value of a reading each: name, labels, type and help, for the documentation and metadata.
struct GpuFamily {
    const char* name;
    const char* labels;
    const char* type;
    const char* help;
};
std::span<const GpuFamily> gpu_families();

enum class DcgmNames : std::uint8_t { Add, LeaveOut };

// The samples of one GPU. `host` is the machine's name, DCGM's label Hostname.
void add_samples(const GpuReading& gpu, DcgmNames dcgm, const std::string& host, SampleBatch& out);

// Help and type of every metric above, DCGM's included.
std::vector<tsdb::FamilyMetadata> gpu_metadata();

}  // namespace stoker::collect
