#include "gateway/balance.h"

#include <algorithm>
#include <tuple>

#include "gateway/routes.h"

namespace stoker::gateway {

std::optional<std::size_t> pick_target(const Pool& pool, const PickRequest& request) {
    const std::size_t count = pool.targets.size();
    if (count == 0) return {};
    const std::size_t start = pool.turn.fetch_add(1, std::memory_order_relaxed);
    std::optional<std::size_t> best;
    std::tuple<bool, std::int64_t> best_load;
    for (std::size_t step = 0; step < count; ++step) {
        const std::size_t index = (start + step) % count;
        const Replica& replica = *pool.targets[index].replica;
        if (!replica.serving() || std::find(request.tried.begin(), request.tried.end(), index) != request.tried.end())
            continue;
        const std::tuple load{replica.resting(request.now), replica.outstanding()};
        if (!best || load < best_load) {
            best = index;
            best_load = load;
        }
    }
    return best;
}

}  // namespace stoker::gateway
