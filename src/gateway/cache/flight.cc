#include "gateway/cache/flight.h"

#include <utility>

namespace stoker::gateway {

void Flight::begin(net::ResponseHead head) {
    MutexLock lock(mutex_);
    head_ = std::move(head);
    state_ = State::Flowing;
    waiters_.wake();
}

void Flight::append(std::string_view bytes) {
    MutexLock lock(mutex_);
    bytes_.append(bytes);
    // Let go in large steps, so that a long answer is not moved about for each event.
    const std::size_t kept = followers_ == 0 ? 0 : most_;
    if (gone_ + bytes_.size() > most_ && bytes_.size() > 2 * kept) {
        gone_ += bytes_.size() - kept;
        bytes_.erase(0, bytes_.size() - kept);
    }
    waiters_.wake();
}

void Flight::end(State how, std::string_view cause) {
    MutexLock lock(mutex_);
    state_ = how;
    cause_ = cause;
    abandoned_ = {};
    waiters_.wake();
}

void Flight::end_with(net::ResponseHead head, std::string_view body, State how, std::string_view cause) {
    MutexLock lock(mutex_);
    head_ = std::move(head);
    bytes_ = body;
    state_ = how;
    cause_ = cause;
    abandoned_ = {};
    waiters_.wake();
}

bool Flight::leader_left(std::function<void()> abandoned) {
    MutexLock lock(mutex_);
    if (followers_ == 0) return true;
    abandoned_ = std::move(abandoned);
    return false;
}

void Flight::drop_abandoned() {
    MutexLock lock(mutex_);
    abandoned_ = {};
}

std::size_t Flight::followers() const {
    MutexLock lock(mutex_);
    return followers_;
}

bool Flight::alone(const WaitTimer& timer) {
    MutexLock lock(mutex_);
    if (followers_ > 0) return false;
    waiters_.add(timer);
    return true;
}

void Flight::forget(const WaitTimer& timer) {
    MutexLock lock(mutex_);
    waiters_.remove(timer);
}

std::optional<std::string> Flight::whole() const {
    MutexLock lock(mutex_);
    if (gone_ > 0) return {};
    return bytes_;
}

bool Flight::join() {
    MutexLock lock(mutex_);
    const bool over = state_ != State::Waiting && state_ != State::Flowing;
    if (over || gone_ > 0 || bytes_.size() > most_) return false;
    if (followers_++ == 0) waiters_.wake();
    return true;
}

void Flight::leave(const WaitTimer& timer) {
    std::function<void()> abandoned;
    {
        MutexLock lock(mutex_);
        waiters_.remove(timer);
        if (--followers_ == 0) abandoned = std::exchange(abandoned_, {});
    }
    if (abandoned) abandoned();
}

Flight::Look Flight::look(std::size_t from, const WaitTimer& timer) {
    MutexLock lock(mutex_);
    Look look;
    look.state = state_;
    look.lost = from < gone_;
    if (look.lost) return look;
    look.bytes = bytes_.substr(from - gone_);
    if (look.bytes.empty() && (state_ == State::Waiting || state_ == State::Flowing)) waiters_.add(timer);
    return look;
}

void Flight::note_made(Made made) {
    MutexLock lock(mutex_);
    made_ = std::move(made);
}

Flight::Made Flight::made() const {
    MutexLock lock(mutex_);
    return made_;
}

std::string Flight::cause() const {
    MutexLock lock(mutex_);
    return cause_;
}

net::ResponseHead Flight::head() const {
    MutexLock lock(mutex_);
    return head_;
}

Flights::Joined Flights::join(const CacheKey& key, std::size_t most) {
    Shard& shard = shard_of(key);
    MutexLock lock(shard.mutex);
    auto& flight = shard.flights[key];
    if (flight && flight->join()) return {flight, false};
    flight = std::make_shared<Flight>(most);
    return {flight, true};
}

void Flights::land(const CacheKey& key, const Flight& flight) {
    Shard& shard = shard_of(key);
    MutexLock lock(shard.mutex);
    const auto found = shard.flights.find(key);
    if (found != shard.flights.end() && found->second.get() == &flight) shard.flights.erase(found);
}

}  // namespace stoker::gateway
