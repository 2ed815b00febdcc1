#include "tsdb/damage.h"

#include <algorithm>

#include "base/log.h"
#include "base/time.h"
#include "tsdb/store_impl.h"

namespace stoker::tsdb {

bool DamageLog::add(std::string where, std::string what) {
    MutexLock lock(mutex_);
    const auto same = [&](const Damage& known) { return known.where == where && known.what == what; };
    if (std::any_of(damage_.begin(), damage_.end(), same)) {
        return false;
    }
    ++count_;
    log::error("metrics store: part of it can't be read", {{"where", where}, {"what", what}});
    if (damage_.size() < kMost) {
        damage_.push_back({std::move(where), std::move(what), to_millis(now())});
    }
    return true;
}

std::vector<Damage> DamageLog::list() const {
    MutexLock lock(mutex_);
    return damage_;
}

std::string DamageLog::summary() const {
    MutexLock lock(mutex_);
    const Damage& first = damage_.front();
    return std::to_string(count_.load()) + " unreadable, first " + first.where + ": " + first.what;
}

void StoreImpl::note_damage(const std::string& where, const std::string& what) const {
    damage_->add(where, what);
}

std::vector<Damage> StoreImpl::damage() const {
    return damage_->list();
}

}  // namespace stoker::tsdb
