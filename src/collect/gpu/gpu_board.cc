#include "collect/gpu/gpu_board.h"

#include <algorithm>

namespace stoker::collect {

void GpuBoard::set(GpuLook look) {
    MutexLock lock(mutex_);
    const auto place = std::lower_bound(looks_.begin(), looks_.end(), look.reader,
                                        [](const GpuLook& a, const std::string& name) { return a.reader < name; });
    if (place != looks_.end() && place->reader == look.reader) {
        *place = std::move(look);
    } else {
        looks_.insert(place, std::move(look));
    }
}

std::vector<GpuLook> GpuBoard::looks() const {
    MutexLock lock(mutex_);
    return looks_;
}

}  // namespace stoker::collect
