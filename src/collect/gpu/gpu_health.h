// How healthy a GPU is: 100 less what each finding costs, with a sentence for each.
//
// Pure and thread-safe.
#pragma once

#include <span>
#include <vector>

#include "base/time.h"
#include "collect/gpu/gpu_doubt.h"
#include "collect/gpu/gpu_reading.h"
#include "collect/gpu/xid_book.h"
#include "collect/gpu/xid_table.h"

namespace stoker::collect {

// One thing that can be wrong, and what it costs. docs/gpu.md repeats the list.
struct GpuFindingKind {
    const char* id;
    int points;
    const char* what;
};
std::span<const GpuFindingKind> gpu_finding_kinds();

// What is wrong with it, the worst first. `xids`: those of any GPU; only this one's, and recent ones, count.
std::vector<GpuFinding> judge(const GpuReading& gpu, const GpuDoubts& doubts, const std::vector<XidCount>& xids,
                              const XidTable& table, Timestamp now);

// 100 is healthy, 0 is of no use.
int health_score(const std::vector<GpuFinding>& findings);

}  // namespace stoker::collect
