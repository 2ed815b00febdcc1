#include "gateway/batch/batch.h"

#include <utility>

namespace stoker::gateway {

std::optional<std::size_t> Batch::join(BatchItem item) {
    MutexLock lock(mutex_);
    if (closed_ || inputs_ + item.inputs.size() > max_inputs_) return {};
    inputs_ += item.inputs.size();
    ++waiting_;
    items_.push_back(std::move(item));
    outcomes_.emplace_back();
    if (inputs_ == max_inputs_) waiters_.wake();
    return outcomes_.size() - 1;
}

void Batch::leave(const WaitTimer& timer) {
    std::function<void()> abandoned;
    {
        MutexLock lock(mutex_);
        waiters_.remove(timer);
        if (--waiting_ == 0) abandoned = std::exchange(abandoned_, {});
    }
    if (abandoned) abandoned();
}

BatchOutcome Batch::look(std::size_t place, const WaitTimer& timer) {
    MutexLock lock(mutex_);
    BatchOutcome& outcome = outcomes_[place];
    if (outcome.fate == BatchOutcome::Fate::Pending) {
        waiters_.add(timer);
        return {};
    }
    return std::move(outcome);
}

bool Batch::full() const {
    MutexLock lock(mutex_);
    return inputs_ == max_inputs_;
}

std::vector<BatchItem> Batch::close() {
    MutexLock lock(mutex_);
    closed_ = true;
    return std::move(items_);
}

void Batch::on_abandoned(std::function<void()> abandoned) {
    MutexLock lock(mutex_);
    abandoned_ = std::move(abandoned);
}

void Batch::end(std::vector<BatchOutcome> outcomes) {
    MutexLock lock(mutex_);
    outcomes_ = std::move(outcomes);
    waiters_.wake();
}

void Batch::give_back() {
    MutexLock lock(mutex_);
    closed_ = true;
    for (BatchOutcome& outcome : outcomes_) {
        if (outcome.fate == BatchOutcome::Fate::Pending) outcome.fate = BatchOutcome::Fate::Alone;
    }
    waiters_.wake();
}

Batches::Joined Batches::join(const CacheKey& key, BatchItem item, std::size_t max_inputs) {
    MutexLock lock(mutex_);
    auto& batch = gathering_[key];
    if (batch) {
        if (const auto place = batch->join(item)) return {batch, *place};
    }
    // There is none, or it has no room: its leader sends it off when its time has come.
    batch = std::make_shared<Batch>(max_inputs);
    return {batch, batch->join(std::move(item)).value_or(0)};
}

void Batches::remove(const CacheKey& key, const Batch& batch) {
    MutexLock lock(mutex_);
    const auto found = gathering_.find(key);
    if (found != gathering_.end() && found->second.get() == &batch) gathering_.erase(found);
}

}  // namespace stoker::gateway
