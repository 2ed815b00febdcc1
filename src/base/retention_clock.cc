#include "base/retention_clock.h"

#include "base/log.h"
#include "base/sync.h"

namespace stoker {
namespace {

struct Shared {
    Mutex mutex;
    RetentionClock clock GUARDED_BY(mutex){now(), std::chrono::steady_clock::now()};
};

Shared& shared() {
    static Shared instance;
    return instance;
}

}  // namespace

void RetentionClock::stored_until(Timestamp newest) {
    if (believed_ - newest > kStopped) believed_ = newest;
}

Timestamp RetentionClock::at(Timestamp wall, SteadyTime steady) {
    const Timestamp paced = believed_ + std::chrono::duration_cast<Duration>(steady - looked_);
    looked_ = steady;
    if (wall <= paced + kTolerance) {
        doubted_since_.reset();
        return believed_ = wall;
    }
    if (!doubted_since_) {
        doubted_since_ = steady;
        log::warn("the clock is far ahead of what is stored; nothing is deleted by it until it has stayed so for a day",
                  {{"clock", format_timestamp(wall)}, {"expected", format_timestamp(paced)}});
    }
    if (steady - *doubted_since_ < kDoubt) return believed_ = paced;
    doubted_since_.reset();
    return believed_ = wall;
}

Timestamp retention_now() {
    MutexLock lock(shared().mutex);
    return shared().clock.at(now(), std::chrono::steady_clock::now());
}

void retention_stored_until(Timestamp newest) {
    MutexLock lock(shared().mutex);
    shared().clock.stored_until(newest);
}

}  // namespace stoker
