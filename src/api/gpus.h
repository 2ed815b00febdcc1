// This machine's GPUs as the console's API shows them (docs/api.md).
#pragma once

#include <string>

#include "base/time.h"
#include "collect/gpu/gpu_board.h"

namespace stoker::api {

// What a GPU does not have is null. Pure.
std::string gpus_json(const collect::GpuReport& report, Timestamp now);

}  // namespace stoker::api
